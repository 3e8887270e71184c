/**
 * LoRA by transformers, peft and trl in the checkout's Python, on the CPU.
 */
import { z } from "zod";
import { curvePointSchema } from "../../records/adapter-manifest.ts";
import type { TrainBackend } from "../backend.ts";
import { python } from "../python.ts";

const trainingSchema = z.object({
  curve: z.array(curvePointSchema),
  trainedTokens: z.int().min(1),
  durationMs: z.number().min(0),
  ggufRefused: z.string().optional(),
  versions: z.record(z.string(), z.string()),
});

const peft: TrainBackend = {
  methods: ["sft", "dpo", "kto"],
  async train(job) {
    const { method, family, datasetFolder, baseFolder, parentFolder, outFolder, checkpointFolder, signal } = job;
    const runner = await python();
    const { rehearsal: _, ...settings } = job.config;
    const { good: goodWeight = 1, bad: badWeight = 1 } = job.labelWeights ?? {};
    const folders = {
      dataset: datasetFolder,
      base: baseFolder,
      parent: parentFolder,
      out: outFolder,
      checkpointFolder,
    };
    const config = { ...settings, goodWeight, badWeight };
    const { loraTargets, blockClass } = family;
    const request = { method, ...folders, config, loraTargets, blockClass, launch: job.launch };
    return runner.run("train", request, {
      result: trainingSchema,
      signal,
      onEvent(event) {
        if (event.type === "progress" || event.type === "step") job.onProgress(event);
      },
    });
  },
};

export default peft;
