/**
 * The manifests of what is made: bases, datasets, adapters, and a comparison's plan and decision. A dataset or an
 * adapter is named by its hash, by a prefix of it that only it has, or (an adapter) by its registered name.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { namesInFolder } from "../foundation/names-in-folder.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type AdapterManifest, adapterManifestSchema, type Probes, probesSchema } from "../records/adapter-manifest.ts";
import { type BaseManifest, baseManifestSchema } from "../records/base-manifest.ts";
import { type Decision, decisionSchema, type Plan, planSchema } from "../records/comparison.ts";
import { type DatasetManifest, datasetManifestSchema } from "../records/dataset-manifest.ts";
import type { Home } from "./home.ts";
import { readLedger } from "./ledger.ts";

const HASH_LENGTH = 64;
const SHORTEST_PREFIX = 4;

/** Throws: `UNKNOWN_BASE`, `BAD_MANIFEST`. */
export async function readBaseManifest(home: Home, name: string): Promise<BaseManifest> {
  const names = await foldersWithManifest(join(home.path, "bases"));
  if (!names.includes(name)) throw unknownName("base", name, names);
  return readManifest(join(home.baseFolder(name), "manifest.json"), baseManifestSchema);
}

/** Writes a base's manifest into its folder, atomically. */
export async function writeBaseManifest(home: Home, manifest: BaseManifest): Promise<void> {
  await writeJsonAtomic(join(home.baseFolder(manifest.name), "manifest.json"), manifest);
}

/** Lists the bases by name. */
export async function listBases(home: Home): Promise<BaseManifest[]> {
  return readAll(join(home.path, "bases"), baseManifestSchema);
}

/** Throws: `UNKNOWN_DATASET`, `AMBIGUOUS_DATASET`, `BAD_MANIFEST`. */
export async function readDatasetManifest(home: Home, hashOrPrefix: string): Promise<DatasetManifest> {
  const folder = join(home.path, "datasets");
  const hash = theOne("dataset", hashOrPrefix, await foldersWithManifest(folder));
  return readManifest(join(folder, hash, "manifest.json"), datasetManifestSchema);
}

/** Lists the datasets, oldest first. Throws: `BAD_MANIFEST`, `LEDGER_BROKEN`. */
export async function listDatasets(home: Home): Promise<DatasetManifest[]> {
  const datasets = await readAll(join(home.path, "datasets"), datasetManifestSchema);
  return asRegistered(home, datasets, ({ datasetHash }) => datasetHash);
}

/** Throws: `UNKNOWN_ADAPTER`, `AMBIGUOUS_ADAPTER`, `BAD_MANIFEST`. */
export async function readAdapterManifest(home: Home, nameOrHashOrPrefix: string): Promise<AdapterManifest> {
  const all = await readAdapters(home);
  const named = all.find(({ name }) => name === nameOrHashOrPrefix);
  if (named !== undefined) return named;
  const names = all.flatMap(({ name }) => name ?? []);
  const hashes = all.map(({ adapterHash }) => adapterHash);
  const hash = theOne("adapter", nameOrHashOrPrefix, hashes, names);
  return all.find(({ adapterHash }) => adapterHash === hash) as AdapterManifest;
}

/** Lists the adapters, oldest first. Throws: `BAD_MANIFEST`, `LEDGER_BROKEN`. */
export async function listAdapters(home: Home): Promise<AdapterManifest[]> {
  return asRegistered(home, await readAdapters(home), ({ adapterHash }) => adapterHash);
}

/** Reads what the canary compares an endpoint with. Throws: as `readAdapterManifest`. */
export async function readProbes(home: Home, nameOrHashOrPrefix: string): Promise<Probes> {
  const { adapterHash } = await readAdapterManifest(home, nameOrHashOrPrefix);
  return readManifest(join(home.adapterFolder(adapterHash), "probes.json"), probesSchema);
}

/** Throws: `UNKNOWN_COMPARISON`, `AMBIGUOUS_COMPARISON`, `BAD_MANIFEST`. */
export async function readPlan(home: Home, hashOrPrefix: string): Promise<Plan> {
  return readManifest(join(await comparisonFolder(home, hashOrPrefix), "plan.json"), planSchema);
}

/** Lists what was ever planned to be compared, decided or not. Throws: `BAD_MANIFEST`. */
export async function listPlans(home: Home): Promise<Plan[]> {
  const folder = join(home.path, "comparisons");
  const names = await foldersWithManifest(folder, "plan.json");
  return Promise.all(names.map((name) => readManifest(join(folder, name, "plan.json"), planSchema)));
}

/** Reads the decision of a comparison by its whole hash; null where there is none, or no such comparison. Throws: `BAD_MANIFEST`. */
export async function findDecision(home: Home, comparisonHash: Hash): Promise<Decision | null> {
  const folder = home.comparisonFolder(comparisonHash);
  if (!(await namesInFolder(folder)).includes("decision.json")) return null;
  return readManifest(join(folder, "decision.json"), decisionSchema);
}

function readAdapters(home: Home): Promise<AdapterManifest[]> {
  return readAll(join(home.path, "adapters"), adapterManifestSchema);
}

/**
 * Sorts what was made by when it was registered; what the ledger does not name (yet) comes first, so that the last one
 * is always one that was finished.
 */
async function asRegistered<T>(home: Home, made: T[], hashOf: (one: T) => Hash): Promise<T[]> {
  const places = new Map<Hash, number>();
  for await (const { type, data, seq } of readLedger(home)) {
    if (type === "dataset_registered") places.set(data.datasetHash, seq);
    if (type === "adapter_registered") places.set(data.adapterHash, seq);
  }
  const placeOf = (one: T) => places.get(hashOf(one)) ?? -1;
  return made.sort((x, y) => placeOf(x) - placeOf(y));
}

async function comparisonFolder(home: Home, hashOrPrefix: string): Promise<string> {
  const folder = join(home.path, "comparisons");
  return join(folder, theOne("comparison", hashOrPrefix, await foldersWithManifest(folder, "plan.json")));
}

/** Finds the one hash that a text means; `names` are shown beside the hashes where there is none. */
function theOne(kind: string, text: string, hashes: string[], names: string[] = []): string {
  const isPrefix = text.length >= SHORTEST_PREFIX && text.length <= HASH_LENGTH;
  const matches = isPrefix ? hashes.filter((hash) => hash.startsWith(text)) : [];
  if (matches.length === 0) throw unknownName(kind, text, [...names, ...hashes.map(shortHash)]);
  if (matches.length > 1) {
    throw new Refusal({
      code: `AMBIGUOUS_${kind.toUpperCase()}`,
      message: `More than one ${kind} has a hash that starts with "${text}".`,
      expected: "a prefix that only one has",
      got: matches.map((hash) => hash.slice(0, 16)).join(", "),
      fix: "give more digits",
    });
  }
  return matches[0] as string;
}

async function readAll<T>(folder: string, schema: z.ZodType<T>): Promise<T[]> {
  const names = await foldersWithManifest(folder);
  return Promise.all(names.map((name) => readManifest(join(folder, name, "manifest.json"), schema)));
}

async function readManifest<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(jsonValue(await readFile(path, "utf8")));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal({
    code: "BAD_MANIFEST",
    message: "A manifest does not hold what it must.",
    expected: "what docs/formats.md lists",
    got: `${issue?.path.join(".") || "the whole file"}: ${issue?.message}`,
    where: path,
    fix: "make it again with the command that made it, or put it back from a backup",
  });
}

/** The folders in `folder` that are complete: their manifest is written last. */
async function foldersWithManifest(folder: string, file = "manifest.json"): Promise<string[]> {
  const names = (await namesInFolder(folder)).filter((name) => !name.includes(".tmp-")).sort();
  const contents = await Promise.all(names.map((name) => namesInFolder(join(folder, name))));
  return names.filter((_, i) => contents[i]?.includes(file));
}
