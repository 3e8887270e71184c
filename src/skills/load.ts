/**
 * Finds and loads skills: every folder with a `skill.ts` in `skills/` beside `src/`, and in the folders that
 * `TRACEMILL_SKILLS` lists (separated as PATH is). A user's skill loads by the same path as those that ship.
 */
import { readdir } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashFile, hashJson } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Skill } from "./contract.ts";

const SHIPPED = resolve(import.meta.dirname, "../../skills");

const SHARE_TOLERANCE = 1e-9;

const manifestSchema = z.object({
  id: z.string().regex(/^[a-z0-9-]+$/, "expected lower-case letters, digits and hyphens"),
  version: z.string().min(1),
  description: z.string().min(1),
  salt: z.string().min(1),
  splitFractions: z
    .object({ train: z.number().min(0), validation: z.number().min(0), test: z.number().min(0) })
    .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < SHARE_TOLERANCE, {
      message: "expected shares that sum to 1",
    }),
  failureModes: z.array(z.string()).readonly(),
  maxTokens: z.int().min(1),
});

const method = z.custom<() => unknown>((value) => typeof value === "function", "expected a function");

const skillSchema = z.object({
  manifest: manifestSchema,
  items: method,
  prompt: method,
  workedExample: method,
  parse: method,
  open: method,
  close: method,
  setup: method.optional(),
  doctor: method.optional(),
});

/** The ids of all skills that are found, sorted. */
export async function listSkills(): Promise<string[]> {
  return [...(await skillFolders()).keys()].sort();
}

/**
 * Loads a skill; loading it again gives the same one.
 * Throws: `UNKNOWN_SKILL`; `BAD_SKILL` where its default export is not a skill of that id.
 */
export async function loadSkill(id: string): Promise<Skill> {
  const file = await skillFile(id);
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  const checked = skillSchema.safeParse(module.default);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw badSkill(file, `${issue?.message}`, issue?.path.join(".") || "default export");
  }
  if (checked.data.manifest.id !== id) throw badSkill(file, `the folder's name, "${id}"`, "manifest.id");
  return module.default as Skill;
}

/** The hash of everything in a skill's folder, by relative path: it changes whenever the skill may behave otherwise. */
export async function skillHash(id: string): Promise<Hash> {
  const folder = await skillFolder(id);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const hashes = await Promise.all(paths.map((path) => hashFile(join(folder, path))));
  return hashJson(paths.map((path, i) => [path, hashes[i]]));
}

/** The folder of a skill. Throws: `UNKNOWN_SKILL`. */
export async function skillFolder(id: string): Promise<string> {
  return resolve(await skillFile(id), "..");
}

async function skillFile(id: string): Promise<string> {
  const folders = await skillFolders();
  const file = folders.get(id);
  if (file === undefined) throw unknownName("skill", id, [...folders.keys()].sort());
  return file;
}

/** Each skill's entry file by its id; where two folders hold the same id, the one that ships is taken. */
async function skillFolders(): Promise<Map<string, string>> {
  const own = process.env.TRACEMILL_SKILLS?.split(delimiter).filter((path) => path !== "") ?? [];
  const found = new Map<string, string>();
  for (const parent of [SHIPPED, ...own.map((path) => resolve(path))]) {
    const entries = await readdir(parent, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
      throw missingFolder(parent, cause);
    });
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      const files = await readdir(join(parent, name));
      const entry = ["skill.ts", "skill.js"].find((file) => files.includes(file));
      if (entry !== undefined && !found.has(name)) found.set(name, join(parent, name, entry));
    }
  }
  return found;
}

function missingFolder(path: string, cause: NodeJS.ErrnoException): Refusal {
  return new Refusal({
    code: "NO_SKILLS_FOLDER",
    message: "A folder of skills cannot be read.",
    expected: "a folder that holds one folder for each skill",
    got: cause.code ?? cause.message,
    where: path,
    fix: "mend TRACEMILL_SKILLS",
    cause,
  });
}

function badSkill(file: string, expected: string, field: string): Refusal {
  return new Refusal({
    code: "BAD_SKILL",
    message: "The skill's default export does not satisfy the contract in src/skills/contract.ts.",
    expected,
    where: `${file}: ${field}`,
  });
}
