/**
 * Training: from a dataset and a base to an adapter.
 */
export type { TrainProgress } from "./backend.ts";
export { adviceText, type DevicePlan, planAdapter, type TrainPlan } from "./plan/index.ts";
export { type PythonRunner, python, type TrainerEvent } from "./python.ts";
export { type TrainOptions, type TrainSettings, trainAdapter } from "./train-adapter.ts";
export { type WrittenConfig, writeTrainConfig } from "./write-config.ts";
