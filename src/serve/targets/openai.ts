/**
 * Any OpenAI-compatible server that the user names by `--endpoint`: nothing is known of what stands behind it, and nothing
 * is started or loaded there. It serves the base; an adapter only where it has one of that name already.
 */
import { Refusal } from "../../foundation/errors.ts";
import type { TargetKind } from "../target.ts";

const openai: TargetKind = {
  // Weights may be held in any type there, down to 4 bits.
  tolerance: { base: 0.5, noiseFactor: 3, effectFraction: 0.1 },
  start: async ({ models }) => {
    const adapters = models.filter(({ adapterHash }) => adapterHash !== null).map(({ id }) => id);
    throw new Refusal({
      code: "NOTHING_TO_START",
      message:
        adapters.length > 0
          ? "A server that is known by its URL alone serves no adapters of this home."
          : "A server that is known by its URL alone is not started here.",
      expected: "--endpoint URL with --model BASE",
      got: adapters.length > 0 ? `--target openai with ${adapters.join(", ")}` : "--target openai",
      fix: "--target vllm, llama-server or llamacpp, which serve adapters beside their base",
    });
  },
};

export default openai;
