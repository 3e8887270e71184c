/**
 * Mistral.
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

const mistral: ModelFamily = {
  modelTypes: ["mistral"],
  loraTargets: String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "MistralDecoderLayer",
  defaults: (method) => ({
    // Axolotl examples/mistral/qlora.yml.
    learningRate: method !== "sft" ? PREFERENCE_LEARNING_RATE : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default mistral;
