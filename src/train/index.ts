/**
 * Training: from a dataset and a base to an adapter.
 */
export { LAUNCHES, type TrainProgress } from "./backend.ts";
export { type PythonRunner, python, type TrainerEvent } from "./python.ts";
export { planTraining, type TrainOptions, type TrainSettings, trainAdapter } from "./train-adapter.ts";
