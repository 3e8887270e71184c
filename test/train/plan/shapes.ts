/** Shapes of known models, as their config.json files give them. */
import { type ModelShape, shapeOf } from "../../../src/train/plan/shape.ts";

const llama = (config: object) => shapeOf({ model_type: "llama", tie_word_embeddings: false, ...config });

export const GEMMA4_31B_CONFIG = {
  model_type: "gemma4",
  text_config: {
    ...{ hidden_size: 5376, intermediate_size: 21_504, num_hidden_layers: 60, vocab_size: 262_144 },
    ...{ num_attention_heads: 32, num_key_value_heads: 16, head_dim: 256, sliding_window: 1024 },
    ...{ global_head_dim: 512, num_global_key_value_heads: 4, attention_k_eq_v: true },
    ...{ tie_word_embeddings: true, final_logit_softcapping: 30, hidden_size_per_layer_input: 0 },
  },
  vision_config: { hidden_size: 1152, intermediate_size: 4304, num_hidden_layers: 27 },
};

export const SHAPES = {
  gemma4_31b: shapeOf(GEMMA4_31B_CONFIG),
  llama2_7b: llama({
    ...{ hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32, num_attention_heads: 32 },
    ...{ num_key_value_heads: 32, vocab_size: 32_000 },
  }),
  llama2_13b: llama({
    ...{ hidden_size: 5120, intermediate_size: 13_824, num_hidden_layers: 40, num_attention_heads: 40 },
    ...{ num_key_value_heads: 40, vocab_size: 32_000 },
  }),
  llama3_8b: llama({
    ...{ hidden_size: 4096, intermediate_size: 14_336, num_hidden_layers: 32, num_attention_heads: 32 },
    ...{ num_key_value_heads: 8, vocab_size: 128_256 },
  }),
  mistral_7b: shapeOf({
    ...{ model_type: "mistral", tie_word_embeddings: false, hidden_size: 4096, intermediate_size: 14_336 },
    ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, vocab_size: 32_000 },
  }),
  llama3_70b: llama({
    ...{ hidden_size: 8192, intermediate_size: 28_672, num_hidden_layers: 80, num_attention_heads: 64 },
    ...{ num_key_value_heads: 8, vocab_size: 128_256 },
  }),
} satisfies Record<string, ModelShape>;
