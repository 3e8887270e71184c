/**
 * Whether a training fits, told before anything is loaded.
 */
export { type PlanRequest, planAdapter } from "./for-options.ts";
export type { DevicePlan, TrainPlan } from "./plan.ts";
export { adviceText, checkFit, preflight } from "./preflight.ts";
