/**
 * Gemma 4: text alone, or with towers for images and sound that are left as they are.
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

/** Gemma 4 31B and what is larger; the next smaller one is the mixture of 26B. */
const LARGE_PARAMETERS = 28e9;

const gemma4: ModelFamily = {
  modelTypes: ["gemma4_text", "gemma4"],
  loraTargets: String.raw`model\.(language_model\.)?layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "Gemma4TextDecoderLayer",
  defaults(method, parameters) {
    const isPreference = method !== "sft";
    if (parameters >= LARGE_PARAMETERS) {
      // Axolotl examples/gemma4/31b-qlora.yaml at 06dcd85: at 2e-4 gradient norms rise to 1e4-1e6 (transformers 45676).
      return {
        learningRate: isPreference ? PREFERENCE_LEARNING_RATE / 4 : 5e-5,
        maxGradNorm: 0.1,
        adamBeta2: 0.995,
      };
    }
    // Axolotl examples/gemma4/e2b-vision-lora.yaml.
    return { learningRate: isPreference ? PREFERENCE_LEARNING_RATE : 2e-4, maxGradNorm: 1, adamBeta2: 0.999 };
  },
};

export default gemma4;
