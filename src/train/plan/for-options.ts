/**
 * A plan for the options of `tracemill train`: checks no more than a plan needs, so that one may plan before a training
 * could start.
 */
import { type GivenInputs, resolveInputs } from "../resolve-inputs.ts";
import type { TrainPlan } from "./plan.ts";
import { preflight } from "./preflight.ts";

export interface PlanRequest extends GivenInputs {
  /** What `--gpus` says. */
  gpus?: string;
}

/** Plans a training. Throws: as `resolveInputs` and `preflight`. */
export async function planAdapter({ gpus, ...given }: PlanRequest): Promise<TrainPlan> {
  const { model, config, datasetFolder } = await resolveInputs(given);
  const { base, method } = given;
  return preflight({ base, method, shape: model.shape, config, datasetFolder, ...(gpus !== undefined && { gpus }) });
}
