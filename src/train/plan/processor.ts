/**
 * The memory of a training on the processor: the same counts as on a card, with what is different there. Its constants
 * were measured on real runs (`bench/plan.ts`, docs/log.md).
 */
import { sumOf } from "../../foundation/sums.ts";
import { type Setting, tokensAtOnce } from "./memory.ts";
import { type Share, spread, total } from "./placement.ts";
import { type ModelShape, weightsOf } from "./shape.ts";

/** Python with torch, transformers, peft, trl and datasets, before a model is loaded. */
export const LIBRARY_BYTES = 520e6;
/** python/tracemill_train/attention.py: up to this length all scores of a block are in memory. */
const SHORT_TOKENS = 256;
/** Probes are scored in float32 by the base loaded once more, whose bf16 file is mapped meanwhile. */
const PROBE_BYTES = 4 + 2;

/**
 * Returns what the one process holds at its peak: while it trains or, of a small model, while it writes probes.
 * Units: `freeBytes` of memory; the trainer scores probes in float32 only where twice what that takes is free.
 */
export function processorShare(shape: ModelShape, setting: Setting, freeBytes: number): Share {
  const [share] = spread(shape, setting, [freeBytes]) as [Share];
  const scores = scoreBytes(shape, setting);
  const parts = { ...share.parts, activations: share.parts.activations + scores, context: LIBRARY_BYTES };
  const { weights, embeddings, towers, lora, optimizer } = parts;
  const probes = weightsOf(shape) * PROBE_BYTES;
  const probing =
    probes * 2 > freeBytes ? 0 : weights + embeddings + towers + lora + optimizer + probes + LIBRARY_BYTES;
  return { ...share, parts: { ...parts, context: LIBRARY_BYTES + Math.max(0, probing - total(parts)) } };
}

/** Softmax of the scores in float32, and cast where the model computes in 16 bits; long rows use a kernel that keeps none. */
function scoreBytes({ blocks }: ModelShape, setting: Setting): number {
  const { tokens, storageBytes, gradientCheckpointing } = setting;
  if (tokens > SHORT_TOKENS) return 0;
  const bytes = 4 + (storageBytes === 2 ? 2 : 0);
  const of = blocks.map(({ heads }) => tokensAtOnce(setting) * tokens * heads * bytes);
  return gradientCheckpointing ? Math.max(...of) : sumOf(of);
}
