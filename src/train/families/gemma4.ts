/**
 * Gemma 4: text alone, or with towers for images and sound that are left as they are.
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

const gemma4: ModelFamily = {
  modelTypes: ["gemma4_text", "gemma4"],
  loraTargets: String.raw`model\.(language_model\.)?layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "Gemma4TextDecoderLayer",
  defaults: (method) => ({
    learningRate: method !== "sft" ? PREFERENCE_LEARNING_RATE : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default gemma4;
