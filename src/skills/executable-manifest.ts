/**
 * `skill.json`: the manifest of a skill that is an executable, with what tracemill does for it: how the program is
 * started, how an answer is read, and what the prompt's template may name.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { isExecutable, pathFolders } from "../foundation/executable.ts";
import { toolSchema } from "../records/message.ts";
import { OPTIONAL_METHODS } from "./executable-protocol.ts";
import { hasKnownDeferrals, manifestShape } from "./manifest-schema.ts";

const actionSchema = z.strictObject({
  name: z.string().regex(/^\w+$/, "expected letters, digits and underscores"),
  argument: z.string().min(1),
  /** The whole text of an answer, or its first fenced block. */
  from: z.enum(["text", "fenced"]),
  missing: z.string(),
});

export const executableSchema = z
  .strictObject({
    ...manifestShape,
    command: z.array(z.string().min(1)).min(1),
    environment: z.array(z.string().min(1)).default([]),
    replySeconds: z.number().gt(0).max(86_400).default(60),
    optionalMethods: z.array(z.enum(OPTIONAL_METHODS)).default([]),
    /** Keys of an item's detail that the prompt's template may name, besides `task`. */
    variables: z.array(z.string().regex(/^\w+$/, "expected letters, digits and underscores")).default([]),
    action: actionSchema,
    tool: toolSchema.optional(),
    /** The key of an item's detail that holds an argument which solves it. */
    solution: z.string().optional(),
  })
  .refine(hasKnownDeferrals, { path: ["deferrableFailureModes"], message: "expected some of failureModes" })
  .refine(({ failureModes, action }) => failureModes.includes(action.missing), {
    path: ["action", "missing"],
    message: "expected one of failureModes",
  })
  .refine(({ tool, action }) => tool === undefined || tool.function.name === action.name, {
    path: ["tool", "function", "name"],
    message: "expected the action's name",
  })
  .refine(({ tool, action }) => tool === undefined || takesOnly(action.argument, tool.function.parameters), {
    path: ["tool", "function", "parameters"],
    message: "expected one property, named as the action's argument",
  });

export type ExecutableManifest = z.infer<typeof executableSchema>;

/**
 * Reads a skill.json.
 * Throws: `BAD_SKILL` with the field.
 */
export function readExecutableManifest(file: string): ExecutableManifest {
  const checked = executableSchema.safeParse(parsedFile(file));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const isStranger = issue?.code === "unrecognized_keys";
  throw badManifest(file, {
    expected: isStranger ? `only ${Object.keys(executableSchema.shape).join(", ")}` : `${issue?.message}`,
    field: isStranger ? [...issue.path, issue.keys[0]].join(".") : issue?.path.join(".") || "the whole file",
  });
}

/** The path of a skill's program: beside its skill.json where the command names a path, else on PATH; null for none. */
export function programPath(file: string, { command }: Pick<ExecutableManifest, "command">): string | null {
  const [program = ""] = command;
  const folders = program.includes("/") ? [dirname(file)] : pathFolders();
  const paths = folders.map((folder) => resolve(folder, program));
  return paths.find(isExecutable) ?? null;
}

function takesOnly(argument: string, parameters: Record<string, unknown> | undefined): boolean {
  const properties = parameters?.properties;
  return typeof properties === "object" && properties !== null && Object.keys(properties).join() === argument;
}

function parsedFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw badManifest(file, { expected: "JSON", got: (cause as Error).message, field: "the whole file" });
  }
}

function badManifest(file: string, { field, ...found }: { expected: string; got?: string; field: string }): Refusal {
  return new Refusal({
    code: "BAD_SKILL",
    message: "A skill.json is not the manifest of an executable skill.",
    ...found,
    where: `${file}: ${field}`,
    fix: "docs/skills.md has every field",
  });
}
