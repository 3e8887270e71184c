/**
 * Spreads a model over devices: blocks in order, embedding and head on the first, so that a tied pair is not copied; and
 * what each device then holds. The trainer places blocks as it is said here. With several devices one works at a time (a
 * plain pipeline), so each needs its own blocks and the largest working set among them.
 */
import { sumOf } from "../../foundation/sums.ts";
import {
  type BlockMemory,
  blockMemory,
  embeddingMemory,
  logitMemory,
  type Setting,
  towerMemory,
  validationLogitMemory,
} from "./memory.ts";
import { embeddingWeights, type ModelShape } from "./shape.ts";

/** What a device holds. Units: bytes. The parts add up to the peak. */
export interface Parts {
  weights: number;
  embeddings: number;
  /** Towers and further embeddings, never trained. */
  towers: number;
  lora: number;
  gradients: number;
  optimizer: number;
  /** What is kept for the backward pass, and the working set of one block. */
  activations: number;
  /** What the logits take beyond that working set, or beyond all activations while it validates: none are alive together. */
  logits: number;
  /** CUDA's context and the allocator's gaps, or Python with its libraries. */
  context: number;
}

export interface Share {
  /** Index of the device's first block, and of the one behind its last. */
  blocks: [from: number, to: number];
  parts: Parts;
}

/** CUDA's context with its libraries: 0.3 GiB on small cards to 0.6 on large ones, as nvidia-smi shows idle PyTorch processes. */
const CUDA_CONTEXT_BYTES = 0.6 * 2 ** 30;
/** PyTorch's allocator keeps gaps: reserved over allocated in published runs is 1.03 to 1.1. */
const ALLOCATOR_FRACTION = 0.05;
const BISECTIONS = 80;

/**
 * Returns what each device holds, in order: the split of blocks that fills the fullest device as little as can be.
 * Shapes: one share a device; a device may hold no block. Units: `freeBytes` of each device.
 */
export function spread(shape: ModelShape, setting: Setting, freeBytes: readonly number[]): Share[] {
  const blocks = shape.blocks.map((block) => blockMemory(shape, block, setting));
  const ends = freeBytes.map((_, index) => endsOf(shape, setting, index === 0));
  const to = levelled(blocks, ends, freeBytes.map(roomOf));
  return ends.map((end, index) => {
    const from = to[index - 1] ?? 0;
    return shareOf(end, blocks.slice(from, to[index]), { from, to: to[index] ?? from });
  });
}

/** Adds up the parts of a memory. Units: bytes. */
export function total(parts: Parts): number {
  return sumOf(Object.values(parts), (bytes: number) => bytes);
}

/** What a device holds besides blocks. */
export interface End {
  embedding: ReturnType<typeof embeddingMemory>;
  towers: number;
  logits: number;
  /** Logits while it validates. */
  validationLogits: number;
  /** Blocks that are whole here for the time that they are computed. */
  gathered: number;
}

/** Says what a device holds besides blocks, which is nothing on any but the first. */
export function endsOf(shape: ModelShape, setting: Setting, isFirst: boolean): End {
  return {
    embedding: embeddingMemory(isFirst ? embeddingWeights(shape) : 0, setting),
    towers: isFirst ? towerMemory(shape, setting) : 0,
    logits: isFirst ? logitMemory(shape, setting) : 0,
    validationLogits: isFirst ? validationLogitMemory(shape, setting) : 0,
    gathered: 0,
  };
}

/** Adds up what a device holds. */
export function shareOf(end: End, blocks: BlockMemory[], { from, to }: { from: number; to: number }): Share {
  const { embedding, towers, logits, validationLogits, gathered } = end;
  const sum = (key: Exclude<keyof BlockMemory, "working">) => sumOf(blocks, (block) => block[key]);
  const working = Math.max(0, ...blocks.map((block) => block.working));
  const activations = sum("kept") + working;
  const parts: Parts = {
    weights: sum("weights") + gathered,
    embeddings: embedding.weights,
    towers,
    lora: sum("lora"),
    gradients: sum("gradients") + embedding.gradients,
    optimizer: sum("optimizer") + embedding.optimizer,
    activations,
    logits: Math.max(0, logits - working, validationLogits - activations),
    context: 0,
  };
  const { cuda, gaps } = contextBytes(total(parts));
  return { blocks: [from, to], parts: { ...parts, context: cuda + gaps } };
}

/** Bytes beside what is allocated: of CUDA itself, and of gaps in what PyTorch has reserved. */
export function contextBytes(allocatedBytes: number): { cuda: number; gaps: number } {
  return { cuda: CUDA_CONTEXT_BYTES, gaps: allocatedBytes * ALLOCATOR_FRACTION };
}

/** Bytes of a device's free memory that can be allocated. */
function roomOf(freeBytes: number): number {
  return Math.max(0, (freeBytes - CUDA_CONTEXT_BYTES) / (1 + ALLOCATOR_FRACTION));
}

/** Finds by bisection the smallest part of every room into which all blocks fit, and where each device's blocks then end. */
function levelled(blocks: BlockMemory[], ends: End[], rooms: number[]): number[] {
  if (rooms.length === 1) return [blocks.length];
  const bare = ends.map(
    ({ embedding, towers }) => embedding.weights + embedding.gradients + embedding.optimizer + towers,
  );
  const all =
    sumOf(bare) +
    blocks.reduce((sum, block) => sum + fixedOf(block) + block.working, 0) +
    Math.max(...ends.map(({ logits }) => logits));
  let low = 0;
  let high = all / Math.min(...rooms.filter((room) => room > 0), all);
  let best = ends.map(() => blocks.length);
  for (let round = 0; round < BISECTIONS; round++) {
    const part = (low + high) / 2;
    const to = fill(blocks, ends, { most: rooms.map((room) => room * part), bare });
    if (to === null) low = part;
    else [high, best] = [part, to];
  }
  return best;
}

/** Gives each device in turn as many blocks as fit under its `most`; null where some are left over. */
function fill(blocks: BlockMemory[], ends: End[], { most, bare }: Record<"most" | "bare", number[]>): number[] | null {
  const to: number[] = [];
  let at = 0;
  for (const [index, { logits }] of ends.entries()) {
    const room = most[index] as number;
    let load = bare[index] as number;
    let passing = logits;
    if (load + passing > room) return null;
    for (let block = blocks[at]; block !== undefined; block = blocks[at]) {
      const higher = Math.max(passing, block.working);
      if (load + fixedOf(block) + higher > room) break;
      load += fixedOf(block);
      passing = higher;
      at++;
    }
    to.push(at);
  }
  return at === blocks.length ? to : null;
}

function fixedOf({ weights, lora, gradients, optimizer, kept }: BlockMemory): number {
  return weights + lora + gradients + optimizer + kept;
}
