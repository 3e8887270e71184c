/**
 * From a dataset and a base to a registered adapter. All inputs are checked before the first second of training; the
 * work lies in a folder named by its inputs, so that a killed training goes on there; the adapter appears under its hash
 * in one step. Knows files and manifests; how a LoRA is trained is the backend's.
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import { loadExtension } from "../foundation/discovery.ts";
import { checkDiskSpace } from "../foundation/disk-space.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { hashFile, hashJson, shortHash } from "../foundation/hashing.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import { type AdapterManifest, trainConfigSchema } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Home } from "../store/home.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { listAdapters, readBaseManifest, readDatasetManifest } from "../store/manifests.ts";
import type { TrainBackend, TrainProgress } from "./backend.ts";
import { familyOf } from "./families.ts";
import type { FamilyDefaults, ModelFamily } from "./family.ts";
import { readModelConfig } from "./model-config.ts";
import { checkFit } from "./plan/index.ts";
import { checkSupport } from "./support.ts";

const BACKENDS = join(import.meta.dirname, "backends");
const NAME = /^[a-z0-9][a-z0-9._-]*$/;
/** Checkpoints, optimizer state and the adapter together are smaller than the base's weights, and than this. */
const MOST_DISK_BYTES = 4 * 2 ** 30;

/** A training's settings; those that a family of models knows best may be left to it. */
export type TrainSettings = Omit<z.input<typeof trainConfigSchema>, keyof FamilyDefaults> & Partial<FamilyDefaults>;

export interface TrainOptions {
  home: Home;
  /** Hash of a dataset, or a prefix of it. */
  dataset: string;
  base: string;
  method: string;
  config: TrainSettings;
  /** An immutable name for the adapter. */
  name?: string;
  backend?: string;
  /** Trains even where the plan says that it does not fit. */
  isUnplanned?: boolean;
  clock: Clock;
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
}

type Inputs = Pick<AdapterManifest, "name" | "base" | "baseHash" | "datasetHash" | "method" | "backend" | "config">;

/**
 * Trains an adapter and registers it; where the same inputs and name were trained before, returns that adapter.
 * Throws: `UNKNOWN_DATASET`, `UNKNOWN_BASE`, `BAD_MODEL_CONFIG`, `UNKNOWN_FAMILY`, `UNKNOWN_BACKEND`, as `checkSupport`, `DATASET_OF_ANOTHER_TIER`,
 * `DATASET_WITHOUT_TOKENS`, `DATASET_OF_ANOTHER_BASE`,
 * `NO_TRAIN_ROWS`, `DATASET_CHANGED`, `BAD_NAME`, `NAME_TAKEN`, `NO_DISK_SPACE`, `DOES_NOT_FIT`, `LOCKED`, `NO_PYTHON`, what the backend
 * refuses; failures of the boundary `trainer`, after which the same call goes on from the last checkpoint.
 */
export async function trainAdapter(options: TrainOptions): Promise<AdapterManifest> {
  const { home, method, clock, backend: backendId = "peft" } = options;
  const dataset = await readDatasetManifest(home, options.dataset);
  const base = await readBaseManifest(home, options.base);
  const backend = await loadExtension<TrainBackend>(BACKENDS, "backend", backendId);
  const model = await readModelConfig(hfFolder(home, base));
  const family = await familyOf(model.modelType);
  const defaults = family.defaults(method, model.parameters);
  const config = trainConfigSchema.parse({ ...defaults, ...options.config });
  checkSupport({ id: backendId, ...backend }, { method, modelType: model.modelType, config });
  const { datasetHash } = dataset;
  const { baseHash } = base;
  const inputs = {
    name: options.name ?? null,
    base: base.name,
    baseHash,
    datasetHash,
    method,
    backend: backendId,
    config,
  };
  const known = await sameOrFree(home, inputs);
  if (known !== null) return register(home, known, clock);
  await backend.checkReady?.();
  await checkDataset(home, dataset, base);
  await checkDisk(home, base);
  const datasetFolder = home.datasetFolder(datasetHash);
  if (!options.isUnplanned) await checkFit({ base: base.name, method, shape: model.shape, config, datasetFolder });
  const work = join(home.path, "adapters", `training-${hashJson(inputs).slice(0, 16)}`);
  await mkdir(work, { recursive: true });
  const release = acquireLock(join(work, "lock"), "This training");
  try {
    const manifest = await trainIn(work, { options, inputs, dataset, base, backend, family });
    const folder = home.adapterFolder(manifest.adapterHash);
    await rename(join(work, "adapter"), folder);
    await rm(join(work, "checkpoints"), { recursive: true, force: true });
    return register(home, manifest, clock);
  } finally {
    await keepCheckpoints(work);
    release();
  }
}

interface Task {
  options: TrainOptions;
  inputs: Inputs;
  dataset: DatasetManifest;
  base: BaseManifest;
  backend: TrainBackend;
  family: ModelFamily;
}

async function trainIn(work: string, task: Task): Promise<AdapterManifest> {
  const { options, inputs, dataset, base, backend, family } = task;
  const { home, method, signal, onProgress } = options;
  const outFolder = join(work, "adapter");
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(outFolder);
  const { curve, trainedTokens, durationMs, versions } = await backend.train({
    method,
    family,
    datasetFolder: home.datasetFolder(dataset.datasetHash),
    baseFolder: hfFolder(home, base),
    outFolder,
    checkpointFolder: join(work, "checkpoints"),
    config: inputs.config,
    signal,
    onProgress,
  });
  const { tokenizerHash, templateHash } = base;
  const { skills, role } = dataset;
  const files = await Promise.all((await readdir(outFolder)).sort().map((path) => describeFile(outFolder, path)));
  const draft: Omit<AdapterManifest, "adapterHash"> = {
    ...{ ...inputs, tokenizerHash, templateHash, skills, role },
    ...{ versions, curve, trainedTokens, durationMs, files },
  };
  const manifest = { adapterHash: hashJson(draft), ...draft };
  await writeJsonAtomic(join(outFolder, "manifest.json"), manifest);
  return manifest;
}

function hfFolder(home: Home, base: BaseManifest): string {
  return resolve(home.baseFolder(base.name), base.hfFolder);
}

async function describeFile(folder: string, path: string): Promise<AdapterManifest["files"][number]> {
  const file = join(folder, path);
  return { path, sizeBytes: (await stat(file)).size, hash: await hashFile(file) };
}

/** Says once in the ledger that the adapter is there: a crash may lie between its rename and this. */
async function register(home: Home, manifest: AdapterManifest, clock: Clock): Promise<AdapterManifest> {
  const { adapterHash, name } = manifest;
  for await (const entry of readLedger(home)) {
    if (entry.type === "adapter_registered" && entry.data.adapterHash === adapterHash) return manifest;
  }
  appendLedger(home, { type: "adapter_registered", data: { adapterHash, name } }, clock);
  return manifest;
}

/** Finds the adapter of the very same inputs; null where it is to be trained. Throws: `BAD_NAME`, `NAME_TAKEN`. */
async function sameOrFree(home: Home, inputs: Inputs): Promise<AdapterManifest | null> {
  const { name } = inputs;
  if (name !== null && !NAME.test(name)) {
    const expected = "lower-case letters, digits, dots, dashes and underscores, a letter or digit first";
    throw new Refusal({ code: "BAD_NAME", message: "This cannot name an adapter.", expected, got: `"${name}"` });
  }
  const adapters = await listAdapters(home);
  const wanted = hashJson(inputs);
  const same = adapters.find((adapter) => hashJson(inputsOf(adapter)) === wanted);
  if (same !== undefined) return same;
  const holder = adapters.find((adapter) => name !== null && adapter.name === name);
  const isBase = name === inputs.base;
  if (holder === undefined && !isBase) return null;
  throw new Refusal({
    code: "NAME_TAKEN",
    message: `The name "${name}" is taken; a name always means one adapter.`,
    got: isBase ? `the base ${name}` : `adapter ${shortHash(holder?.adapterHash ?? "")}`,
    fix: "choose another --name",
  });
}

function inputsOf({ name, base, baseHash, datasetHash, method, backend, config }: AdapterManifest): Inputs {
  return { name, base, baseHash, datasetHash, method, backend, config };
}

/** Throws: `DATASET_OF_ANOTHER_TIER`, `DATASET_WITHOUT_TOKENS`, `DATASET_OF_ANOTHER_BASE`, `NO_TRAIN_ROWS`, `DATASET_CHANGED`. */
async function checkDataset(home: Home, dataset: DatasetManifest, base: BaseManifest): Promise<void> {
  const where = home.datasetFolder(dataset.datasetHash);
  checkTier(dataset, where);
  checkBase(dataset, { base, where });
  if (dataset.counts.trainRows === 0) {
    throw new Refusal({
      code: "NO_TRAIN_ROWS",
      message: "The dataset has no train rows.",
      where,
      fix: "export with a wider --filter, or run more items of the train split",
    });
  }
  for (const { path, hash } of dataset.files.filter(({ path }) => path.startsWith("tokens/"))) {
    const got = await hashFile(join(where, path)).catch(() => "no such file");
    if (got === hash) continue;
    throw new Refusal({
      code: "DATASET_CHANGED",
      message: "A file of the dataset is not the one that was exported.",
      ...{ expected: hash, got, where: join(where, path) },
      fix: "remove the dataset's folder and export it again: the same inputs give the same dataset",
    });
  }
}

/** Trained on as it stands, any other tier would teach its bad answers too. */
function checkTier({ tier }: DatasetManifest, where: string): void {
  if (tier === "demonstrations") return;
  throw new Refusal({
    code: "DATASET_OF_ANOTHER_TIER",
    message: "This dataset does not hold good answers alone, and no method of training here takes others yet.",
    expected: "the tier demonstrations",
    got: tier,
    where,
    fix: "export demonstrations, or train on this dataset's own files with a trainer that its README.md names",
  });
}

function checkBase(dataset: DatasetManifest, { base, where }: { base: BaseManifest; where: string }): void {
  const { tokenizerHash, templateHash } = dataset;
  const isTokenised = dataset.files.some(({ path }) => path.startsWith("tokens/"));
  if (tokenizerHash === null || templateHash === null || !isTokenised) {
    throw new Refusal({
      code: "DATASET_WITHOUT_TOKENS",
      message: "The dataset has no token ids and masks, which the trainer trains on.",
      expected: "tokens/train.parquet",
      got: "texts alone",
      where,
      fix: `export it again with --base ${base.name}`,
    });
  }
  const hashes = { tokenizerHash, templateHash };
  const differs = (["tokenizerHash", "templateHash"] as const).filter((key) => hashes[key] !== base[key]);
  if (differs.length === 0) return;
  throw new Refusal({
    code: "DATASET_OF_ANOTHER_BASE",
    message: `The dataset's tokens were made for another base than "${base.name}".`,
    expected: differs.map((key) => `${key} ${shortHash(base[key])}`).join(", "),
    got: `${differs.map((key) => `${key} ${shortHash(hashes[key])}`).join(", ")} (of the base "${dataset.base}")`,
    where,
    fix: `train on "${dataset.base}", or export again with --base ${base.name}`,
  });
}

/** Throws: `NO_DISK_SPACE`. */
async function checkDisk(home: Home, base: BaseManifest): Promise<void> {
  const weights = base.files.filter(({ part, format }) => part === "weights" && format === "safetensors");
  const needed = Math.min(
    MOST_DISK_BYTES,
    weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  await checkDiskSpace(home.path, needed, "the training's checkpoints");
}

/** Leaves of a work folder only what a training can go on from: its checkpoints, where it came that far. */
async function keepCheckpoints(work: string): Promise<void> {
  await rm(join(work, "adapter"), { recursive: true, force: true });
  const checkpoints = await readdir(join(work, "checkpoints")).catch(() => []);
  if (checkpoints.length === 0) await rm(work, { recursive: true, force: true });
}
