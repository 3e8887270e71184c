/**
 * Whether a training fits on the devices that are there, before anything is loaded: what each device would hold, how long
 * rows and batches may be, how long it takes, and what to change where it does not fit. Pure; `index.ts` reads the machine.
 */
import type { RefusalDetails } from "../../foundation/errors.ts";
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import type { Launch, Support } from "../backend.ts";
import { cheapestChange, type Draft } from "./advice.ts";
import type { Device, Holder } from "./cards.ts";
import { divide, readingBytes } from "./divided.ts";
import type { TokenLengths } from "./lengths.ts";
import type { Setting } from "./memory.ts";
import { type Parts, type Share, spread, total } from "./placement.ts";
import { processorShare } from "./processor.ts";
import { offenceOfRows } from "./rows.ts";
import { loraWidthOf, type ModelShape, weightsOf } from "./shape.ts";
import { operations, type WallTime, wallTimes } from "./wall-time.ts";

/** Units: bytes; `headroomBytes` is what stays free, below 0 where the device is too small. */
export interface DevicePlan {
  kind: Device["kind"];
  name: string;
  totalBytes: number;
  freeBytes: number;
  holders: Holder[];
  /** Index of the first block and of the one behind the last. */
  blocks: [from: number, to: number];
  parts: Parts;
  neededBytes: number;
  headroomBytes: number;
}

export interface TrainPlan {
  fits: boolean;
  base: string;
  method: string;
  parameters: number;
  loraParameters: number;
  setting: Setting;
  lengths: TokenLengths;
  devices: DevicePlan[];
  /** What several processes need of main memory to read the base, and what is free of it (null: not known); null: one process. */
  mainMemory: { neededBytes: number; freeBytes: number | null } | null;
  /** Longest row that fits, one at a time; most rows that fit, of the longest length there is. 0: none. */
  longestTokens: number;
  largestBatch: number;
  /** On each kind of card, all of the plan's cards at work at once by fsdp, else one; empty for a training on the processor. */
  wallTimes: WallTime[];
  /** Options that make it fit, the cheapest; null where it fits, or where nothing here would do. */
  advice: string[] | null;
  /** What it is refused for, whether it fits or not; null: its rows can all be trained on. */
  refused: RefusalDetails | null;
}

export interface PlanInput {
  base: string;
  method: string;
  launch: Launch;
  /** Of the backend: whether one process lays its blocks over several devices, and how it uses memory. */
  supports: Pick<Support, "spreads" | "memory">;
  shape: ModelShape;
  config: TrainConfig;
  lengths: TokenLengths;
  devices: Device[];
  /** Of main memory; null: that of another machine. */
  mainFreeBytes: number | null;
  /** Bytes of a weight that is not quantised, as the trainer loads it on these devices. */
  storageBytes: 2 | 4;
}

/** No row longer than this is tried; more than any model here takes. */
const MOST_TOKENS = 2 ** 20;
const MOST_BATCH = 4096;

/** Plans a training. Contract: `devices` holds at least one. */
export function planTraining(input: PlanInput): TrainPlan {
  const { base, method, launch, supports, shape, config, lengths, mainFreeBytes } = input;
  const devices = supports.spreads || launch === "fsdp" ? input.devices : input.devices.slice(0, 1);
  const setting = settingOf(input);
  const readingOf = ({ setting, devices: count }: Draft) =>
    setting.launch === "fsdp" ? Math.ceil(readingBytes(shape, setting, count)) : 0;
  const fitsMain = (draft: Draft) => mainFreeBytes === null || readingOf(draft) <= mainFreeBytes;
  const fitsOn = (draft: Draft) => fitsMain(draft) && fits(shape, draft, devices);
  const draft = { setting, devices: devices.length };
  const planned = place(shape, setting, devices);
  const isFitting = planned.every(({ headroomBytes }) => headroomBytes >= 0) && fitsMain(draft);
  const one = (changed: Partial<Setting>) => fitsOn({ ...draft, setting: { ...setting, ...changed } });
  const processes = setting.launch === "fsdp" ? devices.length : 1;
  const tokens = lengths.tokens * config.epochs * (method === "dpo" ? 2 : 1);
  const perRow = lengths.tokens / lengths.rows;
  return {
    fits: isFitting,
    ...{ base, method, parameters: weightsOf(shape), loraParameters: loraWidthOf(shape) * config.rank },
    ...{ setting, lengths, devices: planned },
    mainMemory: setting.launch === "fsdp" ? { neededBytes: readingOf(draft), freeBytes: mainFreeBytes } : null,
    longestTokens: largest(MOST_TOKENS, (n) =>
      one({ batch: processes, tokens: n, trainedTokens: setting.trainedTokens }),
    ),
    largestBatch: processes * largest(MOST_BATCH, (rows) => one({ batch: rows * processes })),
    wallTimes:
      devices[0]?.kind === "gpu" ? wallTimes(operations(shape, setting, { tokens, perRow }) / processes, devices) : [],
    advice: isFitting ? null : adviceFor(input, draft, fitsOn),
    refused: offenceOfRows(lengths, config),
  };
}

/** Returns the device of each block, for the trainer; null where it has no choice: one device, or every block on each. */
export function blockDevices({ devices, setting }: TrainPlan): number[] | null {
  if (devices.length === 1 || setting.launch === "fsdp") return null;
  return devices.flatMap(({ blocks: [from, to] }, index) => Array.from({ length: to - from }, () => index));
}

/** Returns on how many GPUs the trainer has to find itself; 0: on the processor. */
export function plannedGpus({ devices }: TrainPlan): number {
  return devices.filter(({ kind }) => kind === "gpu").length;
}

function adviceFor(
  { lengths, devices, supports, config }: PlanInput,
  draft: Draft,
  fitsOn: (draft: Draft) => boolean,
): string[] | null {
  const fewer = partsOf(config.batchSize, draft.setting);
  const shorter = [lengths.p99, lengths.p50].filter((tokens) => tokens < draft.setting.tokens);
  const canGrow = supports.spreads && devices[0]?.kind === "gpu" && draft.setting.trains === "lora";
  return cheapestChange(draft, { fewer, shorter, canGrow, fits: fitsOn })?.options ?? null;
}

/**
 * The numbers of rows, fewer than there are at once, of which a batch can be made, from many to few. By kto a row alone is not
 * among them: its loss would be another one (python/tracemill_train/methods/kto.py).
 */
function partsOf(batchSize: number, { batch, method }: Setting): number[] {
  const fewest = method === "kto" ? 2 : 1;
  const rows = Array.from({ length: Math.max(0, batch - fewest) }, (_, n) => batch - 1 - n);
  return rows.filter((count) => batchSize % count === 0);
}

/** The setting of the largest step: as many rows as are at once, each as long as the longest, or as a sequence that is filled. */
function settingOf({ method, launch, supports, config, lengths, storageBytes }: PlanInput): Setting {
  const { rank, trains, quantization, optimizer, gradientCheckpointing, packing, maxTokens } = config;
  const { fillsSequences, savesLogits, castsUp, loadsTowers } = supports.memory;
  const isFilled = packing && fillsSequences;
  const tokens = isFilled ? maxTokens : Math.max(lengths.max, lengths.others);
  const validated = isFilled && lengths.others > 0 ? maxTokens : lengths.others;
  return {
    ...{ method, launch, rank, trains, quantization, optimizer, gradientCheckpointing, storageBytes },
    ...{ chunksLogits: true, loadsTowers: loadsTowers || trains === "full", castsUp },
    ...{ batch: config.microBatchSize ?? config.batchSize, tokens },
    trainedTokens: savesLogits ? lengths.trained : tokens,
    validatedTokens: savesLogits ? 0 : validated,
  };
}

function place(shape: ModelShape, setting: Setting, devices: Device[]): DevicePlan[] {
  return sharesOf(shape, setting, devices).map(({ blocks, parts }, index) => {
    const { kind, name, totalBytes, freeBytes, holders } = devices[index] as Device;
    const neededBytes = Math.ceil(total(parts));
    const headroomBytes = Math.floor(freeBytes - neededBytes);
    return { kind, name, totalBytes, freeBytes, holders, blocks, parts, neededBytes, headroomBytes };
  });
}

/** Where all weights are trained, the first device has them all: python/tracemill_train/loading.py. */
function sharesOf(shape: ModelShape, setting: Setting, devices: Device[]): Share[] {
  const free = devices.map(({ freeBytes }) => freeBytes);
  if (devices[0]?.kind === "cpu") return [processorShare(shape, setting, free[0] ?? 0)];
  if (setting.launch === "fsdp") return divide(shape, setting, devices.length);
  return spread(shape, setting, setting.trains === "full" ? free.slice(0, 1) : free);
}

/** Further devices are taken to be like the first; by fsdp each takes as many whole rows. */
function fits(shape: ModelShape, { setting, devices: count }: Draft, devices: Device[]): boolean {
  if (setting.launch === "fsdp" && setting.batch % count !== 0) return false;
  const all = Array.from({ length: count }, (_, index) => devices[index] ?? (devices[0] as Device));
  return place(shape, setting, all).every(({ headroomBytes }) => headroomBytes >= 0);
}

/** The largest whole number up to `most` that fits, where all below it fit too; 0 where 1 does not. */
function largest(most: number, fits: (n: number) => boolean): number {
  if (!fits(1)) return 0;
  let low = 1;
  let high = most + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
