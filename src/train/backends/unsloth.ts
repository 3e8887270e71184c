/**
 * LoRA by Unsloth, on one GPU: the same verb of our trainer, on a base that Unsloth loads. Used where it is installed in
 * the trainer's Python and the GPU supports it; refused before any work where not.
 */
import { z } from "zod";
import type { TrainBackend } from "../backend.ts";
import { python } from "../python.ts";
import { trainBy } from "../train-verb.ts";

const unsloth: TrainBackend = {
  methods: ["sft"],
  // Unsloth patches attention, so that rows in one sequence would see one another.
  supports: { modelTypes: null, only: { trains: ["lora"], packing: [false] } },
  async checkReady() {
    await (await python()).run("train-unsloth", { onlyCheck: true }, { result: z.looseObject({}) });
  },
  train: (job) => trainBy("train-unsloth", job),
};

export default unsloth;
