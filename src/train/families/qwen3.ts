/**
 * Qwen 3, dense.
 */
import type { ModelFamily } from "../family.ts";
import { PREFERENCE_LEARNING_RATE } from "../preference-rate.ts";

const qwen3: ModelFamily = {
  modelTypes: ["qwen3"],
  loraTargets: String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "Qwen3DecoderLayer",
  defaults: (method) => ({
    // Axolotl examples/qwen3/32b-qlora.yaml.
    learningRate: method !== "sft" ? PREFERENCE_LEARNING_RATE : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default qwen3;
