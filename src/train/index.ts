/**
 * Training: from a dataset and a base to an adapter.
 */
export { LAUNCHES, type TrainProgress } from "./backend.ts";
export { adviceText, planAdapter, rowsInWords, type TrainPlan } from "./plan/index.ts";
export { python } from "./python.ts";
export type { TrainSettings } from "./resolve-inputs.ts";
export { checkTraining, type TrainOptions, trainAdapter } from "./train-adapter.ts";
export { type WrittenConfig, writeTrainConfig } from "./write-config.ts";
