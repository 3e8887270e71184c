/**
 * From a dataset and a base to a registered adapter. All inputs are checked before the first second of training; the
 * work lies in a folder named by its inputs, so that a killed training goes on there; the adapter appears under its hash
 * in one step. Knows files and manifests; how a LoRA is trained is the backend's.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFileAtomic, writeJsonAtomic } from "../foundation/files.ts";
import { hashJson, shortHash } from "../foundation/hashing.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { readPinnedFiles } from "../render/renderer.ts";
import { checkBaseFiles } from "../store/base-files.ts";
import type { OnHash } from "../store/file-hashes.ts";
import type { Home } from "../store/home.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { listAdapters, listBases } from "../store/manifests.ts";
import type { TrainBackend, TrainProgress } from "./backend.ts";
import { type AskedTraining, checkSources, resolveTraining } from "./check-asked.ts";
import { curvePicture } from "./curve-picture.ts";
import type { ModelFamily } from "./family.ts";
import { methodNamed } from "./methods.ts";
import { checkOutputs, describeFiles, type Outputs, writeOutputs } from "./outputs.ts";
import {
  blockDevices,
  checkFit,
  checkRows,
  type DroppedRows,
  droppedRows,
  measureRows,
  plannedGpus,
  type TrainPlan,
} from "./plan/index.ts";
import { writeRehearsal } from "./rehearsal.ts";

const NAME = /^[a-z0-9][a-z0-9._-]*$/;

export interface TrainOptions extends AskedTraining {
  /** An immutable name for the adapter. */
  name?: string;
  /** Also write a whole model, the adapter merged into its base, beside the adapter. */
  merge?: boolean;
  /** A folder that a model server looks into: gets a copy. */
  out?: string;
  /** Trains even where the plan says that it does not fit. */
  isUnplanned?: boolean;
  clock: Clock;
  signal: AbortSignal;
  /** Told where the base's weights have to be read again. */
  onHash?: OnHash;
  onProgress(progress: TrainProgress): void;
}

type Inputs = Pick<
  AdapterManifest,
  "name" | "base" | "baseHash" | "datasetHash" | "parent" | "method" | "backend" | "config"
>;

/**
 * Trains an adapter and registers it; where the same inputs and name were trained before, returns that adapter.
 * Throws: as `checkTraining`; `LOCKED`, also where another gives the name meanwhile; `NO_PYTHON`, what the backend refuses;
 * failures of the boundary `trainer`, after which the same call goes on from the last checkpoint.
 */
export async function trainAdapter(options: TrainOptions): Promise<AdapterManifest> {
  const { home, clock } = options;
  const { known, ...task } = await checkTraining(options);
  const { name } = task.inputs;
  if (known !== null) return writeOutputs(task.outputs, await register(home, known, clock));
  const release = name === null ? () => {} : acquireLock(home.nameLock(name), `The name "${name}"`);
  try {
    return await trainNamed(task);
  } finally {
    release();
  }
}

/** To be called while its name is held: what another has made of it since it was checked counts. */
async function trainNamed(task: Task): Promise<AdapterManifest> {
  const { home, clock } = task.options;
  const work = join(home.path, "adapters", `training-${hashJson(task.inputs).slice(0, 16)}`);
  await mkdir(work, { recursive: true });
  const release = acquireLock(join(work, "lock"), "This training");
  try {
    const made = await sameOrFree(home, task.inputs);
    const manifest = made ?? (await trainIn(work, task));
    if (made === null) await rename(join(work, "adapter"), home.adapterFolder(manifest.adapterHash));
    await rm(join(work, "checkpoints"), { recursive: true, force: true });
    return await writeOutputs(task.outputs, await register(home, manifest, clock));
  } finally {
    await keepCheckpoints(work);
    release();
  }
}

/**
 * Checks all that a training needs, without doing any of it; `known` is the adapter of the very same inputs.
 * Throws: `BAD_NAME`, `NAME_TAKEN`, and as `resolveTraining`, `checkOutputs`, `checkBaseFiles`, `readPinnedFiles`, `checkSources`,
 * `measureRows`, `checkRows` and `checkFit`; what the backend is not ready for.
 */
export async function checkTraining(options: TrainOptions): Promise<Task & { known: AdapterManifest | null }> {
  const { home } = options;
  const training = await resolveTraining(options);
  const { dataset, datasetFolder, base, baseFolder, model, family, config, backend, parent, method, launch } = training;
  const inputs: Inputs = {
    name: options.name ?? null,
    base: base.name,
    baseHash: base.baseHash,
    datasetHash: dataset.datasetHash,
    parent: parent?.adapterHash ?? null,
    method,
    backend: backend.id,
    config,
  };
  const outputs = { ...options, baseFolder };
  const task = { options, inputs, dataset, base, backend, family, outputs, plan: null, dropped: {} };
  const known = await sameOrFree(home, inputs);
  await checkOutputs(outputs, { base, config, isTrained: known !== null });
  await checkBaseFiles(home, base, { format: "safetensors", onHash: options.onHash });
  await readPinnedFiles(home, base);
  if (known !== null) return { ...task, known };
  await checkSources(training);
  await backend.checkReady?.();
  const lengths = await measureRows(datasetFolder, { home, base, request: options.rehearse, config });
  checkRows(lengths, config);
  const dropped = droppedRows(lengths, config);
  if (options.isUnplanned) return { ...task, dropped, known };
  const { supports } = backend;
  const plan = await checkFit({ base: base.name, method, launch, supports, shape: model.shape, config, lengths });
  return { ...task, dropped, known, plan };
}

interface Task {
  options: TrainOptions;
  inputs: Inputs;
  dataset: DatasetManifest;
  base: BaseManifest;
  backend: TrainBackend;
  family: ModelFamily;
  outputs: Outputs;
  /** Null where there is none: --unplanned, or experts. */
  plan: TrainPlan | null;
  dropped: DroppedRows;
}

async function trainIn(work: string, task: Task): Promise<AdapterManifest> {
  const { options, inputs, dataset, base, backend, family, outputs, plan, dropped } = task;
  const { home, method, signal, onProgress } = options;
  const outFolder = join(work, "adapter");
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(outFolder);
  const rehearsalFile = await writeRehearsal(work, {
    ...{ home, base, request: options.rehearse, config: inputs.config },
  });
  const { curve, trainedTokens, durationMs, versions, ggufRefused, ...ended } = await backend.train({
    method,
    family,
    datasetFolder: home.datasetFolder(dataset.datasetHash),
    baseFolder: outputs.baseFolder,
    rehearsalFile,
    parentFolder: inputs.parent === null ? null : home.adapterFolder(inputs.parent),
    labelWeights: dataset.labels === null ? null : { good: dataset.labels.goodWeight, bad: dataset.labels.badWeight },
    outFolder,
    checkpointFolder: join(work, "checkpoints"),
    config: inputs.config,
    launch: options.launch ?? "single",
    blockDevices: plan && blockDevices(plan),
    plannedGpus: plan === null ? 0 : plannedGpus(plan),
    signal,
    onProgress,
  });
  const { stoppedBy, bestStep } = ended;
  const { tokenizerHash, templateHash } = base;
  const { skills, role } = dataset;
  const { lossUnit } = await methodNamed(method);
  await writeFileAtomic(join(outFolder, "curve.svg"), curvePicture(curve, lossUnit));
  const files = await describeFiles(outFolder);
  const draft: Omit<AdapterManifest, "adapterHash"> = {
    ...{ ...inputs, tokenizerHash, templateHash, skills, role },
    ...{ versions, curve, trainedTokens, durationMs, files },
    ...(stoppedBy != null && { stoppedBy }),
    ...(bestStep != null && { bestStep }),
    ...dropped,
    ...(ggufRefused !== undefined && { ggufRefused }),
  };
  const manifest = { adapterHash: hashJson(draft), ...draft };
  await writeJsonAtomic(join(outFolder, "manifest.json"), manifest);
  return manifest;
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
  const isBase = (await listBases(home)).some((base) => base.name === name);
  if (holder === undefined && !isBase) return null;
  throw new Refusal({
    code: "NAME_TAKEN",
    message: `The name "${name}" is taken; a name always means one model.`,
    got: isBase ? `the base ${name}` : `adapter ${shortHash(holder?.adapterHash ?? "")}`,
    fix: "choose another --name",
  });
}

function inputsOf(adapter: AdapterManifest): Inputs {
  const { name, base, baseHash, datasetHash, parent, method, backend, config } = adapter;
  return { name, base, baseHash, datasetHash, parent, method, backend, config };
}

/** Leaves of a work folder only what a training can go on from: its checkpoints, where it came that far. */
async function keepCheckpoints(work: string): Promise<void> {
  await rm(join(work, "adapter"), { recursive: true, force: true });
  const checkpoints = await readdir(join(work, "checkpoints")).catch(() => []);
  if (checkpoints.length === 0) await rm(work, { recursive: true, force: true });
}
