/**
 * The memory that a training takes, counted from the model's shape: pure arithmetic, each constant with its source. What
 * autograd keeps of a block was counted in the forward passes of transformers 5.23 and agrees with published runs (the
 * table of `test/train/plan/published.ts`). Does not know devices; `placement.ts` spreads what is counted here.
 */
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import type { Launch } from "../backend.ts";
import type { Block, ModelShape } from "./shape.ts";

/**
 * Bytes of a weight in 4 bits: blocks of 64 share a factor, itself in 8 bits, whose blocks of 256 share a float32.
 * Source: QLoRA, arXiv:2305.14314, section 3: 0.127 bits a weight for the factors.
 */
export const NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8;
/** Trained weights and their gradients are float32, a LoRA's (PEFT's `autocast_adapter_dtype`) as all of a model's. */
const TRAINED_BYTES = 4;
/** AdamW keeps two moments of each trained weight, in float32 or (bitsandbytes) in 8 bits with a float32 for each 256. */
const MOMENTS = 2;
const MOMENT_BYTES = { adamw: 4, "adamw-8bit": 1 + 4 / 256 };
/**
 * Of one logit in the loss: in 16 bits, in float32, its log-softmax, the gradient of that in float32 and in 16 bits. A
 * capped one is kept twice more, before and after the tanh.
 * Source: python/tracemill_train/loss.py; agrees with 17 bytes in Unsloth's table for "Hugging Face + FA2".
 */
const LOGIT_BYTES = 2 + 4 + 4 + 4 + 2;
const CAPPED_LOGIT_BYTES = LOGIT_BYTES + 8;
/** Without gradients: in 16 bits, in float32, its log-softmax. Source: transformers, `ForCausalLMLoss`. */
const VALIDATION_LOGIT_BYTES = 2 + 4 + 4;
/** python/tracemill_train/loss.py: CHUNK_LOGITS. */
const CHUNK_LOGITS = 2 ** 26;
/** Rows of a preference pair are in one batch. */
const ROWS_OF: Record<string, number> = { dpo: 2 };

/** How a training is set up, as far as memory goes. Units: `batch` rows at once of `tokens` with padding. */
export interface Setting
  extends Pick<TrainConfig, "rank" | "trains" | "quantization" | "optimizer" | "gradientCheckpointing"> {
  method: string;
  launch: Launch;
  batch: number;
  tokens: number;
  /** Of these, in one row, those under the loss. */
  trainedTokens: number;
  /** Of a frozen weight that is not quantised, and of an activation: 2, or 4 on processors without bf16. */
  storageBytes: number;
  /** Whether logits are made a chunk at a time, as this trainer does; others make all at once. */
  chunksLogits: boolean;
  /** Tokens whose logits are made all at once while it validates; 0: none, they are made in chunks. */
  validatedTokens: number;
  /** Whether towers are loaded, which text does not need. */
  loadsTowers: boolean;
  /** Whether what is not quantised is cast to float32 where the blocks are in 4 bits. */
  castsUp: boolean;
}

/** Units: bytes. `working` is what one block needs while its gradients are made. */
export interface BlockMemory {
  weights: number;
  lora: number;
  gradients: number;
  optimizer: number;
  kept: number;
  working: number;
}

/** Counts one block. */
export function blockMemory(shape: ModelShape, block: Block, setting: Setting): BlockMemory {
  const { rank, trains, quantization, gradientCheckpointing, storageBytes } = setting;
  const isFull = trains === "full";
  const lora = isFull ? 0 : block.loraWidth * rank * TRAINED_BYTES;
  const tokens = tokensAtOnce(setting);
  const saved = tokens * savedPerToken(shape, block, setting);
  const dequantised = quantization === "nf4" ? block.largestWeights * storageBytes : 0;
  const trained = isFull ? block.weights : block.loraWidth * rank;
  return {
    weights: block.weights * weightBytes(setting),
    lora,
    gradients: trained * TRAINED_BYTES,
    optimizer: optimizerBytes(setting, trained),
    kept: gradientCheckpointing ? tokens * shape.hidden * storageBytes : saved,
    working: (gradientCheckpointing ? saved : 0) + tokens * gradientsPerToken(shape, block, setting) + dequantised,
  };
}

/** Bytes of the embeddings (and of the head, where it is another matrix) with what training them takes. */
export function embeddingMemory(weights: number, setting: Setting): Omit<BlockMemory, "kept" | "working" | "lora"> {
  const isFull = setting.trains === "full";
  const bytes = weights * wholeBytes(setting);
  return { weights: bytes, gradients: isFull ? bytes : 0, optimizer: isFull ? optimizerBytes(setting, weights) : 0 };
}

/** Bytes of what is loaded and never trained. */
export function towerMemory({ towers, inputs }: ModelShape, setting: Setting): number {
  return ((setting.loadsTowers ? towers : 0) + inputs) * wholeBytes(setting);
}

/** Bytes of the logits that are in memory at once while it trains, with all that the loss makes of them. */
export function logitMemory({ vocabulary, capsLogits }: ModelShape, setting: Setting): number {
  const { chunksLogits, batch, tokens, trainedTokens, method } = setting;
  const rows = batch * (ROWS_OF[method] ?? 1);
  const at = chunksLogits
    ? Math.min(Math.max(1, Math.floor(CHUNK_LOGITS / vocabulary)), rows * trainedTokens)
    : rows * tokens;
  return at * vocabulary * (capsLogits ? CAPPED_LOGIT_BYTES : LOGIT_BYTES);
}

/** The same while it validates, where nothing is kept for gradients. */
export function validationLogitMemory({ vocabulary }: ModelShape, { validatedTokens }: Setting): number {
  return validatedTokens * vocabulary * VALIDATION_LOGIT_BYTES;
}

/** Tokens of a step's rows that are computed together. */
export function tokensAtOnce({ batch, tokens, method }: Pick<Setting, "batch" | "tokens" | "method">): number {
  return batch * (ROWS_OF[method] ?? 1) * tokens;
}

/**
 * Bytes that autograd keeps of one block for each token. Norms keep their input in float32; attention and MLP share theirs
 * with the LoRA of each projection; attention keeps queries, its output twice, and keys and values repeated for every head;
 * the MLP keeps gate, its activation, up and their product.
 */
function savedPerToken({ hidden, norms }: ModelShape, block: Block, { storageBytes, rank }: Setting): number {
  const queries = block.heads * block.headSize;
  const inputs = 2 * hidden + 5 * queries + 4 * block.inner + 7 * rank;
  return norms * hidden * 4 + inputs * storageBytes;
}

/** Gradients that are alive together while an MLP goes backward: of its product, gate and up, and of two hidden states. */
function gradientsPerToken({ hidden }: ModelShape, { inner }: Block, { storageBytes }: Setting): number {
  return (3 * inner + 2 * hidden) * storageBytes;
}

/** Of a projection's weight: where all are trained a float32, and what it is cast to for computing. */
function weightBytes({ trains, quantization, storageBytes }: Setting): number {
  if (trains === "full") return TRAINED_BYTES + (storageBytes === TRAINED_BYTES ? 0 : storageBytes);
  return quantization === "nf4" ? NF4_BYTES : storageBytes;
}

/** Of a weight that is in no block. */
function wholeBytes({ trains, quantization, castsUp, storageBytes }: Setting): number {
  if (trains === "full" || (castsUp && quantization === "nf4")) return TRAINED_BYTES;
  return storageBytes;
}

function optimizerBytes({ optimizer }: Setting, weights: number): number {
  return weights * MOMENTS * MOMENT_BYTES[optimizer];
}
