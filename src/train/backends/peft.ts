/**
 * LoRA, or all weights, by transformers, peft and trl in the checkout's Python.
 */
import { LAUNCHES, OWN_MEMORY, type TrainBackend } from "../backend.ts";
import { trainBy } from "../train-verb.ts";

const peft: TrainBackend = {
  methods: ["sft", "dpo", "kto"],
  supports: { modelTypes: null, only: {}, parents: true, launches: LAUNCHES, spreads: true, memory: OWN_MEMORY },
  train: (job) => trainBy("train", job),
};

export default peft;
