/**
 * Writes a skill of one's own to begin with: one of the worked examples under another name, which passes the contract
 * suite as it is. A checkout has them in `examples/skills/`; a published package, which may not hold TypeScript that
 * Node would strip, has them with `.txt` behind each name.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { writeFolderAtomic } from "../foundation/files.ts";
import { PACKAGE_FOLDER } from "../foundation/package-folder.ts";
import { sumOf } from "../foundation/sums.ts";
import { SPLITS, type Split } from "../records/item.ts";
import type { SkillManifest } from "./contract.ts";
import { entryFile, loadSkillFile, skillParents } from "./load.ts";
import { SKILL_ID } from "./manifest-schema.ts";
import { splitOf } from "./splits.ts";

export const FORMS = ["typescript", "executable", "test-command"] as const;
export type Form = (typeof FORMS)[number];

const EXAMPLES: Record<Form, string> = {
  typescript: "date-sums",
  executable: "glob-patterns",
  "test-command": "test-command",
};

const IN_CHECKOUT = join(PACKAGE_FOLDER, "examples", "skills");
const IN_PACKAGE = join(import.meta.dirname, "../../scaffolds");
const SUFFIX = ".txt";

/** How the examples import the contract, and the module that has its types in a package. */
const EXAMPLE_IMPORT = "../../../src/skills/contract.ts";
const PACKAGE_IMPORT = "tracemill/skill";

/** So many salts are tried for the one whose splits come nearest to the shares. */
const SALTS = 200;

export type FamilyCounts = Record<Split, number>;

/**
 * Writes the folder of a new skill below `parent` and returns how its families lie in the splits.
 * Throws: `BAD_SKILL_NAME`; `SKILL_EXISTS`; what loading it is refused for on this machine (`SKILL_NEEDS`, an old Node).
 */
export async function writeSkill({ name, form, parent }: { name: string; form: Form; parent: string }): Promise<{
  folder: string;
  families: FamilyCounts;
}> {
  if (!SKILL_ID.test(name)) throw badName(name);
  const folder = join(parent, name);
  const taken = [folder, ...skillParents().map((one) => join(one, name))].find((path) => existsSync(path));
  if (taken !== undefined) throw alreadyThere(name, taken);
  await mkdir(parent, { recursive: true });
  const families = await writeFolderAtomic(folder, async (temporary) => {
    const texts = await exampleTexts(EXAMPLES[form]);
    if (form !== "executable") texts.set("package.json", '{\n  "private": true,\n  "type": "module"\n}\n');
    const named = mapped(texts, (text) =>
      text.replaceAll(EXAMPLES[form], name).replaceAll(EXAMPLE_IMPORT, contractImport(folder)),
    );
    await writeTexts(temporary, named);
    const { manifest, families } = await contentsOf(temporary);
    const salt = fittingSalt(manifest, families);
    await writeTexts(
      temporary,
      mapped(named, (text) => text.replaceAll(`"${manifest.salt}"`, `"${salt}"`)),
    );
    return countsOf({ ...manifest, salt }, families);
  });
  return { folder, families };
}

/** The texts of an example by their path below its folder. */
async function exampleTexts(example: string): Promise<Map<string, string>> {
  const isCheckout = existsSync(IN_CHECKOUT);
  const folder = join(isCheckout ? IN_CHECKOUT : IN_PACKAGE, example);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = paths
    .filter((path) => !path.includes("__pycache__"))
    .map(async (path): Promise<[string, string]> => {
      const below = relative(folder, path);
      return [isCheckout ? below : below.slice(0, -SUFFIX.length), await readFile(path, "utf8")];
    });
  return new Map(await Promise.all(texts));
}

function mapped(texts: ReadonlyMap<string, string>, change: (text: string) => string): Map<string, string> {
  return new Map([...texts].map(([path, text]) => [path, change(text)]));
}

async function writeTexts(folder: string, texts: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of texts) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Within a checkout, by path to the source; elsewhere by the package's name. Only types are imported. */
function contractImport(folder: string): string {
  const source = join(PACKAGE_FOLDER, "src", "skills", "contract.ts");
  const isInside = `${folder}${sep}`.startsWith(`${PACKAGE_FOLDER}${sep}`);
  return existsSync(source) && isInside ? relative(folder, source) : PACKAGE_IMPORT;
}

async function contentsOf(folder: string): Promise<{ manifest: SkillManifest; families: Set<string> }> {
  const skill = await loadSkillFile(await entryFile(folder));
  try {
    const drafts = await skill.items({ seed: 1 });
    return { manifest: skill.manifest, families: new Set(drafts.map(({ family }) => family)) };
  } finally {
    await skill.close();
  }
}

/** A salt is chosen once, before any item was used: the one under which the families lie nearest to the shares. */
function fittingSalt(manifest: SkillManifest, families: ReadonlySet<string>): string {
  const salts = Array.from({ length: SALTS }, (_, n) => `${manifest.id}-${n + 1}`);
  const distances = salts.map((salt) => {
    const counts = countsOf({ ...manifest, salt }, families);
    return sumOf(SPLITS, (one) => Math.abs(counts[one] - manifest.splitFractions[one] * families.size));
  });
  return salts[distances.indexOf(Math.min(...distances))] ?? manifest.salt;
}

function countsOf(manifest: SkillManifest, families: ReadonlySet<string>): FamilyCounts {
  const counts: FamilyCounts = { train: 0, validation: 0, test: 0 };
  for (const family of families) counts[splitOf(manifest, family)] += 1;
  return counts;
}

function badName(name: string): Refusal {
  return new Refusal({
    code: "BAD_SKILL_NAME",
    message: "A skill cannot be called that.",
    expected: "lower-case letters, digits and hyphens",
    got: JSON.stringify(name),
    fix: "tracemill skill new my-skill",
  });
}

function alreadyThere(name: string, where: string): Refusal {
  return new Refusal({
    code: "SKILL_EXISTS",
    message: `There is a skill or a folder called "${name}" already; nothing was written.`,
    expected: "a name that is free",
    where,
    fix: "take another name",
  });
}
