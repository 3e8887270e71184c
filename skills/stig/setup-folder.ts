/**
 * Where the set-up root and the scanner's content lie, and what the setup found out about every rule. The folder is
 * outside of any home and shared by all of them; it is complete or not there.
 */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../../src/foundation/errors.ts";
import { type Hash, hashFile, hashJson } from "../../src/foundation/hashing.ts";
import { hashSchema } from "../../src/records/ids.ts";
import { manifest } from "./manifest.ts";
import type { SandboxFolders } from "./sandbox.ts";

/** Where the data stream and the scanner lie in the root. */
export const DATASTREAM = "opt/scap/ssg-ubuntu2004-ds.xml";
export const SCANNER = "usr/bin/oscap";

/** What a scan says of a rule. */
export const RESULTS = [
  "pass",
  "fail",
  "error",
  "unknown",
  "notapplicable",
  "notchecked",
  "notselected",
  "informational",
  "fixed",
] as const;
export const resultSchema = z.enum(RESULTS);
export type Result = z.infer<typeof resultSchema>;

export const foundRuleSchema = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  severity: z.string(),
  identifiers: z.array(z.string()),
  family: z.string(),
  paths: z.array(z.string()),
  /** Whether no script can change its result, as the scan takes what it looks at from the root as set up. */
  isConstant: z.boolean(),
  /** What the scan says of the root as it was set up. */
  baseline: resultSchema,
  /** Whether the content's own fix, run and judged as an agent's script is, passes. */
  isAttainable: z.boolean(),
  /** Why it is no item; null where it is one. */
  reason: z.string().nullable(),
  fix: z.string().nullable(),
});
export type FoundRule = z.infer<typeof foundRuleSchema>;

const setupSchema = z.object({
  skillVersion: z.string(),
  /** Versions by package name. */
  packages: z.record(z.string(), z.string()),
  datastreamHash: hashSchema,
  /** SHA-256 of the scanner and of the content that it is given, by path in the folder. */
  files: z.record(z.string(), hashSchema),
  rules: z.array(foundRuleSchema),
  /** Of everything above. */
  hash: hashSchema,
});
export type Setup = z.infer<typeof setupSchema>;

export interface SetUp {
  setup: Setup;
  folders: SandboxFolders;
}

/** `TRACEMILL_CACHE`, or the user's cache folder. */
export function setupFolder(): string {
  const cache =
    process.env.TRACEMILL_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tracemill");
  return join(cache, "stig", manifest.version);
}

/** Names the folders of a setup; nothing is created. */
export function foldersIn(folder: string): SandboxFolders {
  return { root: join(folder, "root"), mount: join(folder, "mount"), content: join(folder, "content") };
}

/** Throws: `STIG_NOT_SET_UP`; `BAD_SETUP` where what was found out, the scanner or its content was changed since. */
export async function readSetup(): Promise<SetUp> {
  const folder = setupFolder();
  const text = await readFile(setupFile(folder), "utf8").catch((cause) => {
    throw notSetUp(folder, cause);
  });
  const parsed = setupSchema.safeParse(parsedJson(text));
  if (!parsed.success || parsed.data.hash !== setupHash(parsed.data)) throw badSetup(setupFile(folder));
  const changed = await changedFile(folder, parsed.data.files);
  if (changed !== undefined) throw badSetup(join(folder, changed));
  return { setup: parsed.data, folders: foldersIn(folder) };
}

/** Names the file with what the setup found out. */
export function setupFile(folder: string): string {
  return join(folder, "setup.json");
}

/** Hashes what a setup's verdicts depend on. */
export function setupHash({ skillVersion, packages, datastreamHash, files, rules }: Omit<Setup, "hash">) {
  return hashJson([skillVersion, packages, datastreamHash, files, rules]);
}

/** Hashes what every verdict stands on. Shapes: by path in the set-up folder. */
export async function hashFiles(folder: string): Promise<Record<string, Hash>> {
  const contents = (await readdir(join(folder, "content"))).map((name) => join("content", name));
  const paths = [...contents, join("root", DATASTREAM), join("root", SCANNER), ...(await scannerLibraries(folder))];
  const hashes = await Promise.all(paths.toSorted().map(async (path) => [path, await hashFile(join(folder, path))]));
  return Object.fromEntries(hashes);
}

/** In the one folder of libraries that is named by the machine's architecture. */
async function scannerLibraries(folder: string): Promise<string[]> {
  const libraries = join("root", "usr", "lib");
  const found: string[] = [];
  for (const triplet of await readdir(join(folder, libraries))) {
    if (!triplet.endsWith("-linux-gnu")) continue;
    const names = await readdir(join(folder, libraries, triplet));
    found.push(
      ...names.filter((name) => name.startsWith("libopenscap.so")).map((name) => join(libraries, triplet, name)),
    );
  }
  return found;
}

/** The name of a rule's reduced content, or of that of many: `all`, `changeable`, or `regression` for those that pass as set up and can be broken. */
export function contentName(rule: string): string {
  return `${rule.replace(/^xccdf_org\.ssgproject\.content_rule_/, "")}.xml`;
}

async function changedFile(folder: string, files: Setup["files"]): Promise<string | undefined> {
  const now = await hashFiles(folder).catch(() => ({}) as Record<string, Hash>);
  return [...new Set([...Object.keys(files), ...Object.keys(now)])].find((path) => files[path] !== now[path]);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function notSetUp(folder: string, cause: unknown): Refusal {
  return new Refusal({
    code: "STIG_NOT_SET_UP",
    message: "The skill stig has no root filesystem to scan yet.",
    expected: "what the setup makes, once for all homes",
    where: folder,
    fix: "tracemill skill setup stig (tracemill skill doctor stig says what that needs)",
    cause,
  });
}

function badSetup(file: string): Refusal {
  return new Refusal({
    code: "BAD_SETUP",
    message: "What the setup of the skill stig wrote was changed, or is of another version.",
    expected: "the scanner, its content and setup.json as the setup left them, by their hashes",
    where: file,
    fix: "tracemill skill setup stig (it builds anew what is not sound)",
  });
}
