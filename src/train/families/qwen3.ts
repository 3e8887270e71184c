/**
 * Qwen 3, dense.
 */
import type { ModelFamily } from "../family.ts";

const qwen3: ModelFamily = {
  modelTypes: ["qwen3"],
  loraTargets: String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "Qwen3DecoderLayer",
  defaults: (method) => ({
    // Axolotl examples/qwen3/32b-qlora.yaml; preferences by a twentieth, as TRL's own default is 1e-6.
    learningRate: method !== "sft" ? 1e-5 : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default qwen3;
