/**
 * Reads the one script from a model's answer: a native call of `apply_fix`, or the first fenced block, or else the
 * whole text as a bare script. Wrong arguments of a call are told, never guessed at.
 */
import { z } from "zod";
import { assert } from "../../src/foundation/errors.ts";
import type { ActionCall } from "../../src/records/events.ts";
import type { Message, Tool } from "../../src/records/message.ts";
import type { ParsedAnswer } from "../../src/skills/contract.ts";

const FENCE = /(`{3,})[ \t]*(\w*)[^\n]*\n([\s\S]*?)(?:\n?\1|$)/g;
/** What the kernel takes as one word of a command, with room to spare. */
const SCRIPT_LIMIT_BYTES = 65_536;

export const TOOL: Tool = {
  type: "function",
  function: {
    name: "apply_fix",
    description: "Runs a bash script as root on the host. It may be called once.",
    parameters: {
      type: "object",
      properties: {
        script: { type: "string", description: "the whole bash script" },
        description: { type: "string", description: "what it does, in one sentence" },
      },
      required: ["script"],
      additionalProperties: false,
    },
  },
};

const argumentsSchema = z.strictObject({
  script: z.string().refine((script) => script.trim() !== "", "expected a script that is not empty"),
  description: z.string().optional(),
});

/** Reads the script of an answer, or says what is wrong with it. */
export function parseAnswer(answer: Message): ParsedAnswer {
  const [call, ...others] = answer.tool_calls ?? [];
  if (call === undefined) return fromText(answer.content ?? "");
  if (others.length > 0) return badArguments(`${others.length + 1} tool calls where one was expected`);
  if (call.function.name !== TOOL.function.name) {
    return badArguments(`the tool ${call.function.name} does not exist; there is ${TOOL.function.name}`);
  }
  const given = parsedArguments(call.function.arguments);
  if (given === undefined) return badArguments("the arguments are no JSON");
  const checked = argumentsSchema.safeParse(given);
  if (checked.success) return usable(checked.data.script, checked.data.description);
  const issue = checked.error.issues[0];
  return badArguments(`${issue?.path.join(".") || "arguments"}: ${issue?.message}`);
}

/** Writes a script as the shortest answer from which it is read back: fenced only where it could not stand alone. */
export function answerText(call: ActionCall): string {
  const script = scriptOf(call);
  const read = fromText(script);
  if ("call" in read && read.call.arguments.script === script) return script;
  const longest = Math.max(2, ...[...script.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}bash\n${script}\n${fence}`;
}

/** The script that a call runs. */
export function scriptOf(call: ActionCall): string {
  const { script } = call.arguments;
  assert(call.name === "apply_fix" && typeof script === "string", "the call is not apply_fix with a script");
  return script;
}

function fromText(text: string): ParsedAnswer {
  const blocks = [...text.matchAll(FENCE)].filter(([, , language = ""]) => /^(bash|sh|shell|)$/i.test(language));
  const bodies = text.includes("```") ? blocks.map(([, , , body = ""]) => body) : [text];
  const script = bodies.map((body) => body.trim()).find((body) => body !== "");
  return script === undefined ? { failureMode: "no-script", reason: "the answer holds no script" } : usable(script);
}

function usable(script: string, description?: string): ParsedAnswer {
  if (script.includes("\0")) return badArguments("script: holds a NUL character");
  if (Buffer.byteLength(script) > SCRIPT_LIMIT_BYTES) {
    return badArguments(`script: longer than ${SCRIPT_LIMIT_BYTES} bytes`);
  }
  const call = { name: "apply_fix", arguments: { script, ...(description !== undefined && { description }) } };
  return { call };
}

function parsedArguments(given: string | Record<string, unknown>): unknown {
  if (typeof given !== "string") return given;
  try {
    return JSON.parse(given);
  } catch {
    return undefined;
  }
}

function badArguments(reason: string): ParsedAnswer {
  return { failureMode: "bad-arguments", reason };
}

/** The one action of this skill. */
export function fixCall(script: string): ActionCall {
  return { name: "apply_fix", arguments: { script } };
}
