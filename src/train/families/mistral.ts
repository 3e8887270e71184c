/**
 * Mistral.
 */
import type { ModelFamily } from "../family.ts";

const mistral: ModelFamily = {
  modelTypes: ["mistral"],
  loraTargets: String.raw`model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj`,
  blockClass: "MistralDecoderLayer",
  defaults: (method) => ({
    // Axolotl examples/mistral/qlora.yml; preferences by a twentieth, as TRL's own default is 1e-6.
    learningRate: method !== "sft" ? 1e-5 : 2e-4,
    maxGradNorm: 1,
    adamBeta2: 0.999,
  }),
};

export default mistral;
