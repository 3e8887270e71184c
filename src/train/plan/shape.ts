/**
 * The shape of a model as its config.json tells it: block by block the sizes of the projections, then the embeddings and
 * what else lies in memory. Counts weights; does not know bytes, devices or how anything is trained.
 * Source: transformers 5.23, `configuration_*.py` and `modeling_*.py` of llama, mistral, qwen3, gemma3 and gemma4.
 */
import { z } from "zod";
import { sumOf } from "../../foundation/sums.ts";

const size = z.int().min(1);

/** Keys of a text stack's config; one that a family lacks is optional. */
const textSchema = z.object({
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size.max(1000),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  tie_word_embeddings: z.boolean().nullish(),
  final_logit_softcapping: z.number().nullish(),
  sliding_window: size.nullish(),
  layer_types: z.array(z.string()).nullish(),
  /** Gemma 4: blocks that attend to everything have heads of another size and number, and may take keys as values. */
  global_head_dim: size.nullish(),
  num_global_key_value_heads: size.nullish(),
  attention_k_eq_v: z.boolean().nullish(),
  per_layer_config: z
    .record(z.string(), z.object({ head_dim: size.nullish(), num_key_value_heads: size.nullish() }))
    .nullish(),
  /** Gemma 4, small: further embeddings for every block, and blocks that reuse the keys of others. */
  hidden_size_per_layer_input: z.int().min(0).nullish(),
  vocab_size_per_layer_input: size.nullish(),
  num_kv_shared_layers: z.int().min(0).nullish(),
  use_double_wide_mlp: z.boolean().nullish(),
  /** Mixtures of experts, under the names that families give them. */
  enable_moe_block: z.boolean().nullish(),
  num_experts: z.int().min(0).nullish(),
  num_local_experts: z.int().min(0).nullish(),
  n_routed_experts: z.int().min(0).nullish(),
});

const towerSchema = z.object({ hidden_size: size, intermediate_size: size, num_hidden_layers: size });

const configSchema = z.looseObject({
  model_type: z.string(),
  text_config: z.unknown().optional(),
  vision_config: z.unknown().optional(),
  tie_word_embeddings: z.boolean().nullish(),
});

type Text = z.infer<typeof textSchema>;

/** One block. Units: weights and widths are numbers of elements. */
export interface Block {
  heads: number;
  keyValueHeads: number;
  headSize: number;
  inner: number;
  /** Tokens that a token sees at most; null: all before it. */
  window: number | null;
  /** Of all projections that get a LoRA. */
  weights: number;
  /** Sum over these projections of inputs and outputs: times the rank, the weights of a LoRA. */
  loraWidth: number;
  /** Elements of the largest projection. */
  largestWeights: number;
}

export interface ModelShape {
  modelType: string;
  hidden: number;
  vocabulary: number;
  /** Whether the head is the embedding itself. */
  isTied: boolean;
  blocks: Block[];
  /** Norms of a block over the hidden size. */
  norms: number;
  /** Weights of a tower for images. */
  towers: number;
  /** Weights of further embeddings, of single blocks. */
  inputs: number;
  /** Whether logits are capped by a tanh, which keeps two further copies of them. */
  capsLogits: boolean;
  hasExperts: boolean;
}

/** Reads a parsed config.json. Throws: a `ZodError` naming the key. */
export function shapeOf(json: unknown): ModelShape {
  const config = configSchema.parse(json);
  const text = textSchema.parse(config.text_config ?? json);
  const isGemma = config.model_type.startsWith("gemma");
  return {
    modelType: config.model_type,
    hidden: text.hidden_size,
    vocabulary: text.vocab_size,
    isTied: config.tie_word_embeddings ?? text.tie_word_embeddings ?? isGemma,
    blocks: Array.from({ length: text.num_hidden_layers }, (_, index) => blockOf(text, index)),
    norms: isGemma && config.model_type !== "gemma" ? 4 : 2,
    towers: towerWeights(config.vision_config),
    inputs: inputWeights(text),
    capsLogits: text.final_logit_softcapping != null,
    hasExperts:
      text.enable_moe_block === true ||
      [text.num_experts, text.num_local_experts, text.n_routed_experts].some((experts) => (experts ?? 0) > 0),
  };
}

/** Returns the weights of the text stack; norms are too few to count. */
export function weightsOf(shape: ModelShape): number {
  return sumOf(shape.blocks, ({ weights }) => weights) + embeddingWeights(shape) + shape.inputs;
}

/** Counts the weights of embedding and head, which are one where they are tied. */
export function embeddingWeights({ hidden, vocabulary, isTied }: Pick<ModelShape, "hidden" | "vocabulary" | "isTied">) {
  return vocabulary * hidden * (isTied ? 1 : 2);
}

/** Returns the weights of a LoRA of rank 1 on every projection. */
export function loraWidthOf({ blocks }: ModelShape): number {
  return sumOf(blocks, ({ loraWidth }) => loraWidth);
}

function blockOf(text: Text, index: number): Block {
  const isGlobal = isGlobalBlock(text, index);
  const own = text.per_layer_config?.[String(index)];
  const hasGlobalHeads = isGlobal && text.global_head_dim != null;
  const headSize =
    own?.head_dim ??
    (hasGlobalHeads ? text.global_head_dim : null) ??
    text.head_dim ??
    Math.floor(text.hidden_size / text.num_attention_heads);
  const sharesValues = isGlobal && text.attention_k_eq_v === true;
  const keyValueHeads =
    own?.num_key_value_heads ??
    (sharesValues ? text.num_global_key_value_heads : null) ??
    text.num_key_value_heads ??
    text.num_attention_heads;
  const isReusing = index >= text.num_hidden_layers - (text.num_kv_shared_layers ?? 0);
  const inner = text.intermediate_size * (isReusing && text.use_double_wide_mlp ? 2 : 1);
  const [hidden, queries, keys] = [text.hidden_size, text.num_attention_heads * headSize, keyValueHeads * headSize];
  const keyProjections = isReusing ? 0 : sharesValues ? 1 : 2;
  const projections = [
    ...[[hidden, queries], [queries, hidden], ...Array.from({ length: keyProjections }, () => [hidden, keys])],
    ...[
      [hidden, inner],
      [hidden, inner],
      [inner, hidden],
    ],
  ] as [number, number][];
  return {
    heads: text.num_attention_heads,
    keyValueHeads,
    headSize,
    inner,
    window: isGlobal ? null : (text.sliding_window ?? null),
    weights: sumOf(projections, ([from, to]) => from * to),
    loraWidth: projections.reduce((sum, [from, to]) => sum + from + to, 0),
    largestWeights: Math.max(...projections.map(([from, to]) => from * to)),
  };
}

/** Where the config names no types, Gemma's pattern holds if there is a second size of heads: each sixth is global. */
function isGlobalBlock({ layer_types, global_head_dim, num_hidden_layers }: Text, index: number): boolean {
  if (layer_types != null) return layer_types[index] === "full_attention";
  return global_head_dim == null || (index + 1) % 6 === 0 || index === num_hidden_layers - 1;
}

/** A tower's blocks have four square projections and a gated MLP of three (Gemma 4), or two, then this counts too many. */
function towerWeights(json: unknown): number {
  const tower = towerSchema.safeParse(json);
  if (!tower.success) return 0;
  const { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers } = tower.data;
  return layers * (4 * hidden * hidden + 3 * hidden * inner);
}

/** Embeddings that each block adds to its input, and the two small projections of each. */
function inputWeights(text: Text): number {
  const perBlock = text.hidden_size_per_layer_input ?? 0;
  if (perBlock === 0) return 0;
  const table = (text.vocab_size_per_layer_input ?? text.vocab_size) * text.num_hidden_layers * perBlock;
  return table + 3 * text.num_hidden_layers * perBlock * text.hidden_size;
}
