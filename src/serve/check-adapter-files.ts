/**
 * Looks at an adapter's files before any server loads them: only what PEFT writes as safetensors, the very bytes that the
 * manifest names, a LoRA and nothing else, on modules that the base has and in shapes that fit them, all values finite.
 * A pickle is never opened, nor anything that would make a loader run code. Knows no server.
 */
import { open, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { hashJson, hashText, shortHash } from "../foundation/hashing.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { changedFile, missingFile } from "../store/file-refusals.ts";
import type { Home } from "../store/home.ts";
import { readBaseModules } from "./base-modules.ts";
import { checkLoraTensors } from "./lora-tensors.ts";
import { readSafetensorsHeader, readThrough } from "./safetensors.ts";

const WEIGHTS = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";
const MANIFEST = "manifest.json";
/** Far above what the projections of 200 layers take. */
const MOST_ADAPTER_HEADER_BYTES = 8_000_000;
const UNSAFE = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|py|pyc|so)$/i;

const none = z.union([z.literal(false), z.null(), z.tuple([]), z.strictObject({})]).optional();

/** PEFT's configuration, as far as it says what a loader would do. */
const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.int().min(1),
  rank_pattern: z.record(z.string(), z.int().min(1)).nullish(),
  bias: z.literal("none").optional(),
  auto_mapping: none,
  modules_to_save: none,
  use_dora: none,
  trust_remote_code: none,
  auto_map: none,
});

export interface CheckedAdapter {
  /** The largest rank of any module. */
  rank: number;
  modules: number;
}

/**
 * Checks an adapter against its manifest and its base.
 * Throws: `ADAPTER_OF_ANOTHER_BASE`, `ADAPTER_IS_A_BASE`, `ADAPTER_CHANGED`, `MISSING_FILE`, `UNSAFE_ADAPTER_FILE`, `BAD_SAFETENSORS`,
 * `ADAPTER_DOES_NOT_FIT`, `ADAPTER_NOT_FINITE`.
 */
export async function checkAdapterFiles(
  home: Home,
  { adapter, base }: { adapter: AdapterManifest; base: BaseManifest },
): Promise<CheckedAdapter> {
  const folder = home.adapterFolder(adapter.adapterHash);
  checkBase(adapter, base);
  refuseWhole(adapter, folder);
  await checkManifest(folder, adapter);
  await refuseUnsafe(folder);
  const { ranks, rank } = await readConfig(folder, adapter);
  const path = join(folder, WEIGHTS);
  await using file = await open(path, "r").catch((cause: unknown) => {
    throw missingFile(path, "the adapter's weights as safetensors", cause);
  });
  const header = await readSafetensorsHeader(file, path, MOST_ADAPTER_HEADER_BYTES);
  const { hash: got, notFinite } = await readThrough(file, header, path);
  const expected = hashOf(adapter, WEIGHTS);
  if (got !== expected) throw changedFile("ADAPTER_CHANGED", path, { expected, got });
  const modules = await readBaseModules(resolve(home.baseFolder(base.name), base.hfFolder));
  const count = checkLoraTensors(header.tensors, { modules, ranks, where: path });
  if (notFinite !== null) throw notFiniteIn(path, notFinite);
  return { rank, modules: count };
}

/** Throws: `ADAPTER_OF_ANOTHER_BASE`. */
function checkBase(adapter: AdapterManifest, base: BaseManifest): void {
  if (adapter.baseHash === base.baseHash) return;
  throw new Refusal({
    code: "ADAPTER_OF_ANOTHER_BASE",
    message: `The adapter ${adapterLabel(adapter)} was not trained on "${base.name}".`,
    expected: `an adapter of the base ${shortHash(base.baseHash)}`,
    got: `one of the base ${shortHash(adapter.baseHash)} ("${adapter.base}")`,
    fix: `tracemill serve --base ${adapter.base} --adapter ${adapterLabel(adapter)}`,
  });
}

/** A training of all weights leaves a model, which no server loads beside another. Throws: `ADAPTER_IS_A_BASE`. */
function refuseWhole(adapter: AdapterManifest, folder: string): void {
  if (adapter.config.trains !== "full") return;
  throw new Refusal({
    code: "ADAPTER_IS_A_BASE",
    message: `${adapterLabel(adapter)} is no adapter: all weights were trained, and what came out is a base of its own.`,
    expected: "a LoRA",
    where: folder,
    fix: `tracemill base add NAME --hf ${resolve(folder, "merged")}`,
  });
}

/** The adapter's hash is that of its manifest, which names the hash of each file: so it vouches for all of them. */
async function checkManifest(folder: string, { adapterHash: expected }: AdapterManifest): Promise<void> {
  const where = join(folder, MANIFEST);
  const { adapterHash: _, ...rest } = JSON.parse(await readFile(where, "utf8")) as Record<string, unknown>;
  const got = hashJson(rest);
  if (got !== expected) throw changedFile("ADAPTER_CHANGED", where, { expected, got });
}

async function refuseUnsafe(folder: string): Promise<void> {
  const unsafe = (await readdir(folder, { recursive: true })).filter((name) => UNSAFE.test(name)).sort();
  if (unsafe.length === 0) return;
  throw new Refusal({
    code: "UNSAFE_ADAPTER_FILE",
    message: "The adapter's folder holds files that run code when they are loaded.",
    expected: `${WEIGHTS} and ${CONFIG}`,
    got: unsafe.join(", "),
    where: folder,
    fix: "remove them; save the weights by PEFT's save_pretrained, which writes safetensors",
  });
}

async function readConfig(
  folder: string,
  adapter: AdapterManifest,
): Promise<{ ranks: ReadonlySet<number>; rank: number }> {
  const where = join(folder, CONFIG);
  const text = await readFile(where).catch((cause: unknown) => {
    throw missingFile(where, "the adapter's configuration", cause);
  });
  const [expected, got] = [hashOf(adapter, CONFIG), hashText(text)];
  if (got !== expected) throw changedFile("ADAPTER_CHANGED", where, { expected, got });
  const read = configSchema.safeParse(jsonValue(text.toString("utf8")));
  if (!read.success) {
    throw new Refusal({
      code: "ADAPTER_DOES_NOT_FIT",
      message: "The adapter is not a plain LoRA.",
      expected: "peft_type LORA, without auto_mapping, remote code, DoRA, biases or modules that are saved whole",
      got: z.prettifyError(read.error),
      where,
      fix: "train a LoRA, or merge it into the base",
    });
  }
  const ranks = new Set([read.data.r, ...Object.values(read.data.rank_pattern ?? {})]);
  return { ranks, rank: Math.max(...ranks) };
}

function hashOf({ files }: AdapterManifest, name: string): string | undefined {
  return files.find(({ path }) => path === name)?.hash;
}

function notFiniteIn(where: string, tensor: string): Refusal {
  return new Refusal({
    code: "ADAPTER_NOT_FINITE",
    message: "The adapter holds values that are infinite or no numbers.",
    expected: "finite values",
    got: `others in ${tensor}`,
    where,
    fix: "train it again with a lower --learning-rate; the curve in its manifest shows where it broke",
  });
}
