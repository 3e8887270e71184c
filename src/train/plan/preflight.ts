/**
 * The plan for rows, a base and this machine's devices (or devices that are named), and the refusal of a training that
 * would not fit. Reads devices; `plan.ts` does the sums.
 */
import { Refusal, type RefusalDetails } from "../../foundation/errors.ts";
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import type { Launch, Support } from "../backend.ts";
import { type Device, parseGpus } from "./cards.ts";
import { processorStorageBytes, readGpus, readProcessor } from "./devices.ts";
import type { TokenLengths } from "./lengths.ts";
import { type DevicePlan, planTraining, type TrainPlan } from "./plan.ts";
import type { ModelShape } from "./shape.ts";

const GIB = 2 ** 30;

export interface PreflightInput {
  /** The base's name. */
  base: string;
  method: string;
  launch: Launch;
  supports: Pick<Support, "spreads" | "memory">;
  shape: ModelShape;
  config: TrainConfig;
  lengths: TokenLengths;
  /** What `--gpus` says: kinds of cards, `cpu`, or nothing for what is there. */
  gpus?: string;
}

/**
 * Plans a training on the GPUs that are named, else on those that are there, else on the processor.
 * Throws: `BAD_GPUS`, `NO_GPUS`, `NVIDIA_SMI_FAILED`, `NO_PLAN_FOR_EXPERTS`.
 */
export async function preflight(input: PreflightInput): Promise<TrainPlan> {
  const { base, method, launch, supports, shape, config, lengths, gpus } = input;
  if (shape.hasExperts) {
    throw new Refusal({
      code: "NO_PLAN_FOR_EXPERTS",
      message: "What a training of a mixture of experts takes is not known here.",
      expected: "a dense model",
      got: `${shape.modelType} with experts`,
      fix: "train a dense base",
    });
  }
  const devices = await devicesOf(gpus);
  const isProcessor = devices[0]?.kind === "cpu";
  if (launch === "fsdp" && (isProcessor || devices.length < 2)) throw noGpus(isProcessor ? 0 : devices.length);
  const storageBytes = isProcessor ? await processorStorageBytes() : 2;
  const mainFreeBytes = gpus === undefined ? readProcessor().freeBytes : null;
  return planTraining({
    ...{ base, method, launch, supports, shape, config, lengths, devices, storageBytes, mainFreeBytes },
  });
}

/**
 * Refuses a training that needs more memory than is free, before anything is loaded; returns its plan. Experts are let through
 * without one. Throws: `DOES_NOT_FIT`, and as `preflight`.
 */
export async function checkFit(input: PreflightInput): Promise<TrainPlan | null> {
  if (input.shape.hasExperts) return null;
  const plan = await preflight(input);
  if (plan.fits) return plan;
  throw new Refusal({
    code: "DOES_NOT_FIT",
    ...shortageOf(plan),
    fix: `${adviceText(plan)}; or train with --unplanned`,
  });
}

/** Names what is short of memory: the fullest device or, where all have enough, the machine itself. */
function shortageOf({ devices, mainMemory }: TrainPlan): Pick<RefusalDetails, "message" | "expected" | "got"> {
  const worst = devices.reduce((low, device) => (device.headroomBytes < low.headroomBytes ? device : low));
  if (worst.headroomBytes >= 0 && mainMemory !== null) {
    return {
      message: "Each process reads the whole base, which takes more main memory than is free.",
      expected: `${gib(mainMemory.neededBytes)} free for ${devices.length} processes`,
      got: gib(mainMemory.freeBytes ?? 0),
    };
  }
  return {
    message: `The training needs more memory than is free${holdersOf(worst)}.`,
    expected: `${gib(worst.neededBytes)} free on ${worst.name}`,
    got: gib(worst.freeBytes),
  };
}

/** Says in a phrase what makes a plan fit. */
export function adviceText({ advice, setting }: Pick<TrainPlan, "advice" | "setting">): string {
  const ways = ["train a smaller base", "free memory"];
  if (advice === null) return (setting.launch === "fsdp" ? ["leave out --launch fsdp", ...ways] : ways).join(", or ");
  const options = advice.filter((option) => option.startsWith("--")).join(" ");
  const cards = advice.filter((option) => !option.startsWith("--")).map((option) => `take ${option}`);
  return [...(options === "" ? [] : [`add ${options}`]), ...cards].join(" and ");
}

function noGpus(count: number): Refusal {
  return new Refusal({
    code: "NO_GPUS",
    message: "FSDP spreads a model over several GPUs.",
    expected: "at least 2 GPUs",
    got: `${count}`,
    fix: "leave out --launch fsdp, or plan for cards that are named: --plan --gpus 4xL4",
  });
}

function holdersOf({ holders }: DevicePlan): string {
  if (holders.length === 0) return "";
  return `: ${holders.map(({ pid, name, usedBytes }) => `${name} (pid ${pid}) holds ${gib(usedBytes)}`).join(", ")}`;
}

async function devicesOf(gpus: string | undefined): Promise<Device[]> {
  if (gpus === "cpu") return [readProcessor()];
  if (gpus !== undefined) return parseGpus(gpus);
  const found = await readGpus();
  return found.length > 0 ? found : [readProcessor()];
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
