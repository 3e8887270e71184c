/**
 * Whether a training fits, told before anything is loaded.
 */
export { type PlanRequest, planAdapter } from "./for-options.ts";
export { blockDevices, type DevicePlan, plannedGpus, type TrainPlan } from "./plan.ts";
export { adviceText, checkFit, preflight } from "./preflight.ts";
export { checkRows, type DroppedRows, droppedRows, measureRows, rowsInWords } from "./rows.ts";
