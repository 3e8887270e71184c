/**
 * A plan for the options of `tracemill train`: checks no more than a plan needs, so that one may plan before a training
 * could start.
 */
import type { Launch } from "../backend.ts";
import { backendNamed } from "../backends.ts";
import { type RehearsalRequest, rehearsalOf } from "../rehearsal.ts";
import { type GivenInputs, resolveInputs } from "../resolve-inputs.ts";
import type { TrainPlan } from "./plan.ts";
import { preflight } from "./preflight.ts";
import { measureRows } from "./rows.ts";

export interface PlanRequest extends GivenInputs {
  backend?: string;
  launch?: Launch;
  rehearse?: RehearsalRequest;
  /** What `--gpus` says. */
  gpus?: string;
}

/** Plans a training. Throws: `UNKNOWN_BACKEND`, as `resolveInputs`, `rehearsalOf`, `measureRows` and `preflight`. */
export async function planAdapter(request: PlanRequest): Promise<TrainPlan> {
  const { gpus, backend = "peft", launch = "single", rehearse, ...given } = request;
  const { spreads } = (await backendNamed(backend)).supports;
  const { model, base, config: settings, datasetFolder } = await resolveInputs(given);
  const config = { ...settings, rehearsal: rehearse === undefined ? null : await rehearsalOf(rehearse) };
  const lengths = await measureRows(datasetFolder, { home: given.home, base, request: rehearse, config });
  const asked = { base: given.base, method: given.method, launch, spreads, shape: model.shape, config, lengths };
  return preflight({ ...asked, ...(gpus !== undefined && { gpus }) });
}
