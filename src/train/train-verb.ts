/**
 * A training by a verb of our own trainer: the request that it takes, the result that it gives.
 */
import { z } from "zod";
import { curvePointSchema } from "../records/adapter-manifest.ts";
import type { Training, TrainJob } from "./backend.ts";
import { python } from "./python.ts";

const trainingSchema = z.object({
  curve: z.array(curvePointSchema),
  trainedTokens: z.int().min(1),
  durationMs: z.number().min(0),
  versions: z.record(z.string(), z.string()),
});

/** Runs a job by a verb that takes the request of `train`. Throws: as `PythonRunner.run`. */
export async function trainBy(verb: string, job: TrainJob): Promise<Training> {
  const { method, family, datasetFolder, baseFolder, outFolder, checkpointFolder, config, signal, onProgress } = job;
  const runner = await python();
  const { rehearsal: _, ...settings } = config;
  const folders = { dataset: datasetFolder, base: baseFolder, out: outFolder, checkpointFolder };
  const request = { method, ...folders, config: settings, loraTargets: family.loraTargets };
  return runner.run(verb, request, {
    result: trainingSchema,
    signal,
    onEvent(event) {
      if (event.type === "progress" || event.type === "step") onProgress(event);
    },
  });
}
