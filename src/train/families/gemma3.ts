/**
 * Gemma 3: text alone, or with a vision tower that is left as it is.
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

const gemma3: ModelFamily = {
  modelTypes: ["gemma3_text", "gemma3"],
  loraTargets: String.raw`model\.(language_model\.)?layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "Gemma3DecoderLayer",
  defaults: (method) => ({
    // Axolotl examples/gemma3/gemma-3-4b-qlora.yml.
    learningRate: method !== "sft" ? PREFERENCE_LEARNING_RATE : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default gemma3;
