/**
 * Memory that others measured and published, each with the setting it was measured in. No row was left out for its error;
 * where a trainer differs from ours in a way that its documentation states, the row says so and plans for it.
 */
import type { Setting } from "../../../src/train/plan/memory.ts";
import type { ModelShape } from "../../../src/train/plan/shape.ts";
import { SHAPES } from "./shapes.ts";

export interface Published {
  name: string;
  source: string;
  shape: ModelShape;
  setting: Setting;
  /** Units: bytes, as published. */
  bytes: number;
  /** `allocated` leaves out CUDA's context and the allocator's gaps, `reserved` the context alone. */
  measured: "allocated" | "reserved" | "device";
  /** Activations that are put aside in main memory. */
  offloads?: boolean;
}

const GB = 1e9;
const GIB = 2 ** 30;

const plain: Setting = {
  ...{ method: "sft", launch: "single", rank: 8, trains: "lora", quantization: "none", optimizer: "adamw" },
  ...{ gradientCheckpointing: false, batch: 1, tokens: 1304, trainedTokens: 1304, storageBytes: 2, chunksLogits: true },
  ...{ validatedTokens: 0, loadsTowers: true, castsUp: false },
};

// Single card, no checkpoints, loss in chunks, `torch.cuda.max_memory_allocated`. Alpaca's longest row has 1304 tokens.
const LITGPT = "Lightning-AI/litgpt, tutorials/resource-tables.md (2023-10-20), LoRA on 1 GPU";
const litgpt = (
  name: string,
  shape: ModelShape,
  [batch, gigabytes]: [number, number],
  quantization: "none" | "nf4" = "none",
) => ({
  ...{ name: `LitGPT ${name}, ${batch} x 1304`, source: LITGPT, shape, bytes: gigabytes * GB },
  ...{ measured: "allocated" as const, setting: { ...plain, batch, quantization } },
});

const HUB = "Lightning-AI/litgpt, config_hub/finetune/README.md, 1 x A10G, at most 512 tokens";
const hub = (
  name: string,
  shape: ModelShape,
  [batch, gigabytes]: [number, number],
  quantization: "none" | "nf4" = "none",
) => ({
  ...{
    name: `LitGPT ${name}, ${batch} x 512`,
    source: HUB,
    shape,
    bytes: gigabytes * GB,
    measured: "allocated" as const,
  },
  setting: { ...plain, rank: 32, batch, tokens: 512, trainedTokens: 512, quantization },
});

// Checkpoints, whole logits in float32, rank 8 on all projections; whole gigabytes as a card's monitor shows them.
const FACTORY = "hiyouga/LLaMA-Factory wiki, Performance-comparison: LLaMA2-7B, 4 bits, FlashAttention2, A100 40GB";
const factory = (tokens: number, gigabytes: number) => ({
  ...{
    name: `LLaMA-Factory Llama 2 7B nf4, 1 x ${tokens}`,
    source: FACTORY,
    shape: SHAPES.llama2_7b,
    bytes: gigabytes * GB,
  },
  measured: "device" as const,
  setting: {
    ...{ ...plain, tokens, trainedTokens: tokens, quantization: "nf4" as const },
    ...{ gradientCheckpointing: true, chunksLogits: false },
  },
});

// The longest row that a card takes, so the memory is the card's; rank 32 on all projections.
const UNSLOTH = 'unslothai/unsloth, README.md: context lengths, column "Hugging Face + FA2"';
const unsloth = (name: string, shape: ModelShape, [tokens, gigabytes]: [number, number]) => ({
  ...{
    name: `HF + FA2 ${name} nf4, 1 x ${tokens}`,
    source: UNSLOTH,
    shape,
    bytes: gigabytes * GB,
    measured: "device" as const,
  },
  setting: {
    ...{ ...plain, rank: 32, tokens, trainedTokens: tokens, quantization: "nf4" as const },
    ...{ optimizer: "adamw-8bit" as const, gradientCheckpointing: true, chunksLogits: false },
  },
});

export const PUBLISHED: readonly Published[] = [
  {
    name: "Axolotl Gemma 4 31B nf4, 1 x 2048 packed",
    source: "axolotl-ai-cloud/axolotl, examples/gemma4/README.md and 31b-qlora.yaml: 25.2 GiB reserved",
    shape: SHAPES.gemma4_31b,
    setting: {
      ...{ ...plain, rank: 16, tokens: 2048, quantization: "nf4", optimizer: "adamw-8bit" },
      // `prepare_model_for_kbit_training` casts what is not quantised to float32 (Axolotl's own switch to leave embeddings out
      // of that is `embeddings_skip_upcast`). The loss is cut cross-entropy: no logits.
      ...{ gradientCheckpointing: true, trainedTokens: 64, castsUp: true },
    },
    bytes: 25.2 * GIB,
    measured: "reserved",
    offloads: true,
  },
  litgpt("Llama 2 7B bf16", SHAPES.llama2_7b, [1, 21.3]),
  litgpt("Llama 2 7B bf16", SHAPES.llama2_7b, [2, 29.07]),
  litgpt("Llama 2 7B nf4", SHAPES.llama2_7b, [1, 13.84], "nf4"),
  litgpt("Llama 2 13B bf16", SHAPES.llama2_13b, [1, 38.12]),
  litgpt("Llama 2 13B nf4", SHAPES.llama2_13b, [1, 22.55], "nf4"),
  hub("Llama 2 7B bf16", SHAPES.llama2_7b, [2, 19.77]),
  hub("Llama 3 8B bf16", SHAPES.llama3_8b, [1, 19.73]),
  hub("Llama 3 8B nf4", SHAPES.llama3_8b, [2, 17.41], "nf4"),
  hub("Mistral 7B bf16", SHAPES.mistral_7b, [2, 20.66]),
  hub("Mistral 7B nf4", SHAPES.mistral_7b, [2, 14.29], "nf4"),
  factory(2048, 7),
  factory(4096, 9),
  factory(8192, 12),
  factory(16_384, 19),
  factory(32_768, 32),
  unsloth("Llama 3.1 8B", SHAPES.llama3_8b, [2551, 16]),
  unsloth("Llama 3.1 8B", SHAPES.llama3_8b, [5789, 24]),
  unsloth("Llama 3.1 8B", SHAPES.llama3_8b, [28_454, 80]),
  unsloth("Llama 3.3 70B", SHAPES.llama3_70b, [6916, 80]),
];
