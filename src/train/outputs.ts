/**
 * What a training leaves besides its adapter: the model merged with it, and a copy where a model server looks. Both are
 * checked before the training starts, and both appear in one step. The merged model follows from base and adapter, so no
 * manifest lists it.
 */
import { copyFile, mkdir, readdir, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { checkDiskSpace } from "../foundation/disk-space.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFolderAtomic } from "../foundation/files.ts";
import { hashFile } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import type { AdapterManifest, TrainConfig } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Home } from "../store/home.ts";
import type { TrainProgress } from "./backend.ts";
import { python } from "./python.ts";

const MERGED = "merged";
/** Checkpoints, optimizer state and the adapter together are smaller than the base's weights, and than this. */
const MOST_LORA_BYTES = 4 * 2 ** 30;
/** Two checkpoints of weights and two moments in float32, beside the model: against the two bytes a weight of a base. */
const FULL_TIMES_BASE = 13;

export interface Outputs {
  home: Home;
  /** The base in its Hugging Face form. */
  baseFolder: string;
  merge?: boolean;
  out?: string;
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
}

interface Planned {
  base: BaseManifest;
  config: TrainConfig;
  /** Whether the adapter is there already. */
  isTrained: boolean;
}

/** Checks what can be checked before hours of work. Throws: `OUT_NOT_EMPTY`, `NO_DISK_SPACE`. */
export async function checkOutputs(
  { home, merge = false, out }: Outputs,
  { base, config, isTrained }: Planned,
): Promise<void> {
  if (out !== undefined) await checkEmpty(resolve(out));
  const weights = sumOf(
    base.files.filter(({ part, format }) => part === "weights" && format === "safetensors"),
    ({ sizeBytes }) => sizeBytes,
  );
  const isFull = config.trains === "full";
  const training = isTrained ? 0 : isFull ? FULL_TIMES_BASE * weights : Math.min(MOST_LORA_BYTES, weights);
  if (training > 0) await checkDiskSpace(home.path, training, "the training's checkpoints");
  if (merge && !isFull) await checkDiskSpace(home.path, training + weights, "the merged model");
}

async function checkEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") return ["a file"];
    throw error;
  });
  if (names.length === 0) return;
  throw new Refusal({
    code: "OUT_NOT_EMPTY",
    message: "The folder for the copy holds something already, which a training never overwrites.",
    expected: "a new or an empty folder",
    got: names.slice(0, 3).join(", "),
    where: folder,
    fix: "choose another --out",
  });
}

/** Writes what was asked for and returns the manifest. Throws: `NO_PYTHON`, and failures of the boundary `trainer`. */
export async function writeOutputs(outputs: Outputs, manifest: AdapterManifest): Promise<AdapterManifest> {
  if (outputs.merge === true && manifest.config.trains === "lora") await writeMerged(outputs, manifest);
  if (outputs.out !== undefined) await writeCopy(outputs.home, manifest, resolve(outputs.out));
  return manifest;
}

async function writeMerged(outputs: Outputs, { adapterHash }: AdapterManifest): Promise<void> {
  const { home, baseFolder, signal, onProgress } = outputs;
  const adapter = resolve(home.adapterFolder(adapterHash));
  const target = join(adapter, MERGED);
  if ((await readdir(target).catch(() => [])).length > 0) return;
  const runner = await python();
  await writeFolderAtomic(target, async (temporary) => {
    await runner.run(
      "merge",
      { base: baseFolder, adapter, out: temporary },
      {
        result: z.looseObject({}),
        signal,
        onEvent(event) {
          if (event.type === "progress") onProgress(event);
        },
      },
    );
  });
}

/** Copies an adapter with its manifest; of a training of all weights the whole model alone, which is what a server loads. */
async function writeCopy(home: Home, manifest: AdapterManifest, target: string): Promise<void> {
  const folder = home.adapterFolder(manifest.adapterHash);
  const isFull = manifest.config.trains === "full";
  const from = isFull ? join(folder, MERGED) : folder;
  const names = isFull
    ? manifest.files.flatMap(({ path }) => (path.startsWith(`${MERGED}/`) ? [path.slice(MERGED.length + 1)] : []))
    : [...manifest.files.map(({ path }) => path), "manifest.json"];
  await rmdir(target).catch(() => {}); // an empty one gives way; a full one stays, and the rename fails on it
  await mkdir(dirname(target), { recursive: true });
  await writeFolderAtomic(target, async (temporary) => {
    for (const name of names) await copyFile(join(from, name), join(temporary, name));
  });
}

/** Names every file below a folder with its size and hash, in the order of their paths. */
export async function describeFiles(folder: string): Promise<AdapterManifest["files"]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = files.map((file) => file.slice(folder.length + 1).replaceAll("\\", "/")).sort();
  return Promise.all(paths.map((path) => describeFile(folder, path)));
}

async function describeFile(folder: string, path: string): Promise<AdapterManifest["files"][number]> {
  const file = join(folder, path);
  return { path, sizeBytes: (await stat(file)).size, hash: await hashFile(file) };
}
