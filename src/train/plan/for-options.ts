/**
 * A plan for the options of `tracemill train`: checks no more than a plan needs, so that one may plan before a training
 * could start.
 */
import type { Launch } from "../backend.ts";
import { type RehearsalRequest, rehearsalOf, withRehearsal } from "../rehearsal.ts";
import { type GivenInputs, resolveInputs } from "../resolve-inputs.ts";
import type { TrainPlan } from "./plan.ts";
import { preflight } from "./preflight.ts";

export interface PlanRequest extends GivenInputs {
  launch?: Launch;
  rehearse?: RehearsalRequest;
  /** What `--gpus` says. */
  gpus?: string;
}

/** Plans a training. Throws: as `resolveInputs`, `rehearsalOf`, `withRehearsal` and `preflight`. */
export async function planAdapter({ gpus, launch = "single", rehearse, ...given }: PlanRequest): Promise<TrainPlan> {
  const { model, base, config: settings, datasetFolder } = await resolveInputs(given);
  const config = { ...settings, rehearsal: rehearse === undefined ? null : await rehearsalOf(rehearse) };
  const asked = { base: given.base, method: given.method, launch, shape: model.shape, config, datasetFolder };
  return withRehearsal({ home: given.home, base, request: rehearse, config }, (rehearsalFile) =>
    preflight({ ...asked, rehearsalFile, ...(gpus !== undefined && { gpus }) }),
  );
}
