/**
 * Finds and loads skills: every folder with a `skill.ts`, or with a `skill.json` and an executable, in `skills/` beside
 * `src/` and in the folders that `TRACEMILL_SKILLS` lists (separated as PATH is). A user's skill loads by the same path
 * as those that ship.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashFile, hashJson } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Skill } from "./contract.ts";
import { executableSkill } from "./executable.ts";
import { manifestSchema, SKILL_ID } from "./manifest-schema.ts";

const SHIPPED = resolve(import.meta.dirname, "../../skills");
const EXECUTABLE = "skill.json";
const ENTRIES = ["skill.ts", "skill.js", EXECUTABLE];

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
 * Throws: `UNKNOWN_SKILL`; `BAD_SKILL` where its folder lacks a piece or holds no skill of that id; what a prompt's
 * template is refused for.
 */
export async function loadSkill(id: string): Promise<Skill> {
  const file = await skillFile(id);
  const skill = await loadSkillFile(file);
  if (skill.manifest.id !== id) throw badSkill(file, { expected: `the folder's name, "${id}"`, field: "manifest.id" });
  return skill;
}

/** Loads the skill of an entry file, whatever its folder is called. Throws: as `loadSkill` does. */
export async function loadSkillFile(file: string): Promise<Skill> {
  if (basename(file) !== EXECUTABLE) return moduleSkill(file);
  const known = executables.get(file) ?? executableSkill(file);
  executables.set(file, known);
  return known;
}

/** Executable skills by their file, as Node keeps modules. */
const executables = new Map<string, Skill>();

async function moduleSkill(file: string): Promise<Skill> {
  if (file.endsWith(".ts") && !process.features.typescript) {
    throw badSkill(file, {
      expected: "a skill.js, or Node 22.18 or newer, which reads TypeScript",
      got: `Node ${process.versions.node}`,
    });
  }
  const module = (await import(pathToFileURL(file).href).catch((cause: Error) => {
    throw badSkill(file, { expected: "a module that can be imported", got: importComplaint(cause), cause });
  })) as { default?: unknown };
  const checked = skillSchema.safeParse(module.default);
  if (checked.success) return module.default as Skill;
  const issue = checked.error.issues[0];
  throw badSkill(file, { expected: `${issue?.message}`, field: issue?.path.join(".") || "default export" });
}

/** The hash of everything in a skill's folder, by relative path: it changes whenever the skill may behave otherwise. */
export async function skillHash(id: string): Promise<Hash> {
  const folder = await skillFolder(id);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.includes("__pycache__")) // what Python compiled says nothing that its source does not
    .sort();
  const hashes = await Promise.all(paths.map((path) => hashFile(join(folder, path))));
  return hashJson(paths.map((path, i) => [path, hashes[i]]));
}

/** The folder of a skill. Throws: `UNKNOWN_SKILL`. */
export async function skillFolder(id: string): Promise<string> {
  return resolve(await skillFile(id), "..");
}

/** The folders in which skills are looked for, those that ship first. */
export function skillParents(): string[] {
  const own = process.env.TRACEMILL_SKILLS?.split(delimiter).filter((path) => path !== "") ?? [];
  return [SHIPPED, ...own.map((path) => resolve(path))];
}

async function skillFile(id: string): Promise<string> {
  const folders = await skillFolders();
  const file = folders.get(id);
  if (file !== undefined) return file;
  const bare = SKILL_ID.test(id) ? skillParents().map((parent) => join(parent, id)) : [];
  const found = bare.find((folder) => existsSync(folder));
  if (found !== undefined) return entryFile(found);
  throw unknownName("skill", id, [...folders.keys()].sort());
}

/** The file by which a skill's folder is entered. Throws: `BAD_SKILL` where there is none. */
export async function entryFile(folder: string): Promise<string> {
  const files = await readdir(folder);
  const entry = ENTRIES.find((file) => files.includes(file));
  if (entry !== undefined) return join(folder, entry);
  throw badSkill(folder, { expected: `one of ${ENTRIES.join(", ")} in the folder` });
}

/** Each skill's entry file by its id; where two folders hold the same id, the one that ships is taken. */
async function skillFolders(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const parent of skillParents()) {
    const entries = await readdir(parent, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
      throw missingFolder(parent, cause);
    });
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      const files = await readdir(join(parent, name));
      const entry = ENTRIES.find((file) => files.includes(file));
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

/** The stack of a file that is no TypeScript begins with the line; that of another error does not. */
function importComplaint({ name, message, stack = "" }: Error): string {
  const [place = ""] = stack.split("\n", 1);
  return `${name}: ${message}${/:\d+$/.test(place) ? ` (${place})` : ""}`;
}

function badSkill(
  file: string,
  { field, ...found }: { expected: string; got?: string; field?: string; cause?: unknown },
): Refusal {
  return new Refusal({
    code: "BAD_SKILL",
    message: "This is not a skill that satisfies the contract in src/skills/contract.ts.",
    ...found,
    where: field === undefined ? file : `${file}: ${field}`,
    fix: "docs/skills.md says what a skill is; `tracemill skill new NAME` writes one that works",
  });
}
