/**
 * Settings that exclude each other, refused before anything is loaded.
 */
import { Refusal } from "../foundation/errors.ts";
import type { TrainConfig } from "../records/adapter-manifest.ts";
import type { Launch } from "./backend.ts";

interface Asked {
  method: string;
  launch: Launch;
  /** Whether an adapter is gone on from. */
  hasParent: boolean;
  validationRows: number;
}

/** Checks that what was asked for goes together. Throws: `BAD_SETTINGS`. */
export function checkSettings(config: TrainConfig, asked: Asked): void {
  const offence = offenceOf(config, asked);
  if (offence !== null) throw new Refusal({ code: "BAD_SETTINGS", ...offence });
}

type Offence = Pick<Refusal["details"], "message" | "expected" | "got" | "fix">;

function offenceOf(config: TrainConfig, asked: Asked): Offence | null {
  const offences = [offenceOfFull, offenceOfMethod, offenceOfSteps, offenceOfLaunch];
  return offences.map((offence) => offence(config, asked)).find((found) => found !== null) ?? null;
}

function offenceOfFull({ trains, quantization, maxKl }: TrainConfig, asked: Asked): Offence | null {
  const { method, launch, hasParent } = asked;
  const beside = [
    ...(quantization !== "none" ? [`--quantize ${quantization}`] : []),
    ...(method !== "sft" ? [`--method ${method}`] : []),
    ...(launch !== "single" ? [`--launch ${launch}`] : []),
    ...(hasParent ? ["--from"] : []),
    ...(maxKl !== null ? ["--max-kl"] : []), // the base is not there any more to compare with
  ];
  if (trains !== "full" || beside.length === 0) return null;
  return {
    message: "All weights can be trained only as they are, by one method and in one process.",
    expected: "--full with --method sft",
    got: beside.join(", "),
    fix: "train a LoRA: leave out --full",
  };
}

function offenceOfMethod({ rehearsal, packing }: TrainConfig, { method }: Asked): Offence | null {
  const options = [...(rehearsal !== null ? ["--rehearse"] : []), ...(packing ? ["--packing"] : [])];
  if (method === "sft" || options.length === 0) return null;
  return {
    message: "General rows and packed ones hold one answer each, which preference methods do not learn from.",
    expected: `${options.join(" and ")} with --method sft`,
    got: `--method ${method}`,
    fix: `leave out ${options.join(" and ")}`,
  };
}

function offenceOfSteps(config: TrainConfig, { validationRows }: Asked): Offence | null {
  const { patience, batchSize, microBatchSize } = config;
  if (microBatchSize !== null && batchSize % microBatchSize !== 0) {
    return {
      message: "A batch is made of whole micro-batches.",
      expected: `--batch-size a multiple of ${microBatchSize}`,
      got: `--batch-size ${batchSize}`,
      fix: `--batch-size ${Math.ceil(batchSize / microBatchSize) * microBatchSize}`,
    };
  }
  if (patience !== null && validationRows === 0) {
    return {
      message: "Without validation rows nothing tells when a training gets worse.",
      expected: "--patience with a dataset that has validation rows",
      got: "none",
      fix: "leave out --patience, or export runs of the validation split too",
    };
  }
  return null;
}

function offenceOfLaunch({ optimizer, maxKl }: TrainConfig, { method, launch }: Asked): Offence | null {
  const beyond = [
    ...(method !== "sft" ? [`--method ${method}`] : []),
    ...(optimizer !== "adamw" ? [`--optimizer ${optimizer}`] : []),
    ...(maxKl !== null ? ["--max-kl"] : []),
  ];
  if (launch === "single" || beyond.length === 0) return null;
  return {
    message:
      "Several processes share a training by sft and plain AdamW, and do not measure the distance from the base.",
    expected: `--launch ${launch} without them`,
    got: beyond.join(", "),
    fix: "leave out --launch",
  };
}
