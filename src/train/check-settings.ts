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
}

/** Checks that all weights are trained only by what can do it. Throws: `BAD_SETTINGS`. */
export function checkSettings({ trains, quantization }: TrainConfig, { method, launch, hasParent }: Asked): void {
  if (trains !== "full") return;
  const got = [
    ...(quantization !== "none" ? [`--quantize ${quantization}`] : []),
    ...(method !== "sft" ? [`--method ${method}`] : []),
    ...(launch !== "single" ? [`--launch ${launch}`] : []),
    ...(hasParent ? ["--from"] : []),
  ];
  if (got.length === 0) return;
  throw new Refusal({
    code: "BAD_SETTINGS",
    message: "All weights can be trained only as they are, by one method and in one process.",
    expected: "--full with --method sft",
    got: got.join(", "),
    fix: "train a LoRA: leave out --full",
  });
}
