/**
 * LoRA by Unsloth, on one GPU: the same verb of our trainer, on a base that Unsloth loads. Used where it is installed in
 * the trainer's Python and the GPU supports it; refused before any work where not.
 */
import { z } from "zod";
import { OWN_MEMORY, type TrainBackend } from "../backend.ts";
import { python } from "../python.ts";
import { trainBy } from "../train-verb.ts";

const unsloth: TrainBackend = {
  methods: ["sft"],
  supports: {
    // Models of text alone: Unsloth finds projections by their last name, which towers have, too.
    modelTypes: ["llama", "mistral", "qwen3", "gemma3_text", "gemma4_text"],
    // Its patched attention would let rows in one sequence see one another.
    only: { trains: ["lora"], packing: [false] },
    parents: false,
    launches: ["single"],
    spreads: false,
    memory: OWN_MEMORY,
  },
  async checkReady() {
    await (await python()).run("train-unsloth", { onlyCheck: true }, { result: z.looseObject({}) });
  },
  train: (job) => trainBy("train-unsloth", job),
};

export default unsloth;
