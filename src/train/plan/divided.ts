/**
 * What each GPU holds where one process a GPU takes a part of every block and of the rows (`--launch fsdp`). The ends are whole
 * on each, as python/tracemill_train/fsdp.py leaves them; a block is gathered while it is computed, and the next one meanwhile.
 * Source: the documentation of `torch.distributed.fsdp.fully_shard` (implicit prefetching).
 */
import { sumOf } from "../../foundation/sums.ts";
import { type BlockMemory, blockMemory, type Setting } from "./memory.ts";
import { endsOf, type Share, shareOf } from "./placement.ts";
import { LIBRARY_BYTES } from "./processor.ts";
import type { ModelShape } from "./shape.ts";

const GATHERED_BLOCKS = 2;

/** Returns what each of so many GPUs holds: all the same. */
export function divide(shape: ModelShape, setting: Setting, gpus: number): Share[] {
  const own = { ...setting, batch: Math.ceil(setting.batch / gpus) };
  const blocks = shape.blocks.map((block) => blockMemory(shape, block, own));
  const whole = Math.max(...blocks.map(({ weights, lora }) => weights + lora));
  const end = endsOf(shape, own, true);
  const share = shareOf(
    { ...end, gathered: GATHERED_BLOCKS * whole },
    blocks.map((block) => partOf(block, gpus)),
    {
      from: 0,
      to: blocks.length,
    },
  );
  return Array.from({ length: gpus }, () => share);
}

/**
 * Returns what so many processes hold of main memory while each reads the whole base, before its blocks are divided
 * (docs/decisions/0026-each-process-reads-the-base.md). Units: bytes.
 */
export function readingBytes(shape: ModelShape, setting: Setting, gpus: number): number {
  const { embedding, towers } = endsOf(shape, setting, true);
  const blocks = sumOf(shape.blocks, (block) => blockMemory(shape, block, setting).weights);
  return gpus * (blocks + embedding.weights + towers + LIBRARY_BYTES);
}

function partOf({ weights, lora, gradients, optimizer, ...whole }: BlockMemory, gpus: number): BlockMemory {
  return {
    ...{ weights: weights / gpus, lora: lora / gpus, gradients: gradients / gpus, optimizer: optimizer / gpus },
    ...whole,
  };
}
