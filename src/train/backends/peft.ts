/**
 * LoRA, or all weights, by transformers, peft and trl in the checkout's Python, on the GPUs there are or the CPU.
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
  methods: ["sft"],
  async train(job) {
    const { method, family, datasetFolder, baseFolder, outFolder, checkpointFolder, config, launch } = job;
    const runner = await python();
    const { rehearsal: _, ...settings } = config;
    const folders = { dataset: datasetFolder, base: baseFolder, out: outFolder, checkpointFolder };
    const { loraTargets, blockClass } = family;
    const request = { method, ...folders, config: settings, loraTargets, blockClass, launch };
    return runner.run("train", request, {
      result: trainingSchema,
      signal: job.signal,
      onEvent(event) {
        if (event.type === "progress" || event.type === "step") job.onProgress(event);
      },
    });
  },
};

export default peft;
