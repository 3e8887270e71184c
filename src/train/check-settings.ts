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

function offenceOf(config: TrainConfig, { method, launch, hasParent, validationRows }: Asked): Offence | null {
  const { trains, quantization, rehearsal, patience, maxKl, microBatchSize } = config;
  const beside = [
    ...(quantization !== "none" ? [`--quantize ${quantization}`] : []),
    ...(method !== "sft" ? [`--method ${method}`] : []),
    ...(launch !== "single" ? [`--launch ${launch}`] : []),
    ...(hasParent ? ["--from"] : []),
  ];
  if (trains === "full" && beside.length > 0) {
    return {
      message: "All weights can be trained only as they are, by one method and in one process.",
      expected: "--full with --method sft",
      got: beside.join(", "),
      fix: "train a LoRA: leave out --full",
    };
  }
  if (rehearsal !== null && method !== "sft") {
    return {
      message: "General rows hold answers alone, which preference methods do not learn from.",
      expected: "--rehearse with --method sft",
      got: `--method ${method}`,
      fix: "leave out --rehearse",
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
  const alone = [
    ...(patience !== null ? ["--patience"] : []),
    ...(maxKl !== null ? ["--max-kl"] : []),
    ...(microBatchSize !== null ? ["--micro-batch-size"] : []),
  ];
  if (launch === "single" || alone.length === 0) return null;
  return {
    message: "These are known to one process alone.",
    expected: `--launch ${launch} without them`,
    got: alone.join(", "),
    fix: "leave out --launch",
  };
}
