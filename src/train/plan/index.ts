/**
 * Whether a training fits, told before anything is loaded.
 */
export { planAdapter } from "./for-options.ts";
export { blockDevices, plannedGpus, type TrainPlan } from "./plan.ts";
export { adviceText, checkFit, preflight } from "./preflight.ts";
export { checkRows, type DroppedRows, droppedRows, measureRows, rowsInWords } from "./rows.ts";
