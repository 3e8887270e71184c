/**
 * A training by a verb of our own trainer: the request that it takes, the result that it gives.
 */
import { z } from "zod";
import { curvePointSchema, STOPPED_BY } from "../records/adapter-manifest.ts";
import type { Training, TrainJob } from "./backend.ts";
import { python } from "./python.ts";

const trainingSchema = z.object({
  curve: z.array(curvePointSchema),
  trainedTokens: z.int().min(1),
  durationMs: z.number().min(0),
  ggufRefused: z.string().optional(),
  stoppedBy: z.enum(STOPPED_BY).nullable().default(null),
  bestStep: z.int().nullable().default(null),
  versions: z.record(z.string(), z.string()),
});

/** Runs a job by a verb that takes the request of `train`. Throws: as `PythonRunner.run`. */
export async function trainBy(verb: string, job: TrainJob): Promise<Training> {
  const { method, family, launch, blockDevices, plannedGpus, rehearsalFile, signal, onProgress } = job;
  const runner = await python();
  const { rehearsal, ...settings } = job.config;
  const { good: goodWeight = 1, bad: badWeight = 1 } = job.labelWeights ?? {};
  const folders = {
    dataset: job.datasetFolder,
    base: job.baseFolder,
    parent: job.parentFolder,
    out: job.outFolder,
    checkpointFolder: job.checkpointFolder,
    rehearsal: rehearsalFile,
  };
  const config = { ...settings, rehearsalFraction: rehearsal?.fraction ?? 0, goodWeight, badWeight };
  const { loraTargets, blockClass } = family;
  return runner.run(
    verb,
    { method, ...folders, config, loraTargets, blockClass, launch, blockDevices, plannedGpus },
    {
      result: trainingSchema,
      signal,
      onEvent(event) {
        if (event.type !== "finished" && event.type !== "refused") onProgress(event);
      },
    },
  );
}
