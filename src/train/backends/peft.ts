/**
 * LoRA by transformers, peft and trl in the checkout's Python, on the CPU.
 */
import type { TrainBackend } from "../backend.ts";
import { trainBy } from "../train-verb.ts";

const peft: TrainBackend = {
  methods: ["sft"],
  supports: { modelTypes: null, only: {} },
  train: (job) => trainBy("train", job),
};

export default peft;
