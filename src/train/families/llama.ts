/**
 * Llama and the small models of its form (SmolLM2).
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

const SMALL_PARAMETERS = 1e9;

const llama: ModelFamily = {
  modelTypes: ["llama"],
  loraTargets: String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "LlamaDecoderLayer",
  defaults: (method, parameters) => ({
    // docs/log.md: SmolLM2-135M learns from a few hundred rows at 4e-4. Larger: Axolotl examples/llama-3/lora-8b.yml.
    learningRate: method !== "sft" ? PREFERENCE_LEARNING_RATE : parameters < SMALL_PARAMETERS ? 4e-4 : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default llama;
