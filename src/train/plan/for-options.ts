/**
 * A plan for the options of `tracemill train`: checks that they can be trained with, but nothing of this machine, as one may
 * plan for another one.
 */
import { type AskedTraining, checkSources, resolveTraining } from "../check-asked.ts";
import type { TrainPlan } from "./plan.ts";
import { preflight } from "./preflight.ts";
import { measureRows } from "./rows.ts";

export interface PlanRequest extends AskedTraining {
  /** What `--gpus` says. */
  gpus?: string;
}

/** Plans a training. Throws: as `resolveTraining`, `checkSources`, `measureRows` and `preflight`. */
export async function planAdapter({ gpus, ...asked }: PlanRequest): Promise<TrainPlan> {
  const training = await resolveTraining(asked);
  await checkSources(training);
  const { base, method, launch, backend, model, config, datasetFolder } = training;
  const { supports } = backend;
  const lengths = await measureRows(datasetFolder, { home: asked.home, base, request: asked.rehearse, config });
  const planned = { base: base.name, method, launch, supports, shape: model.shape, config, lengths };
  return preflight({ ...planned, ...(gpus !== undefined && { gpus }) });
}
