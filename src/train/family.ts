/**
 * What a family of models wants of a training. One file of `families/`, with a `ModelFamily` as default export; it knows
 * names of modules and sound settings, not how anything is trained.
 */
import type { TrainConfig } from "../records/adapter-manifest.ts";

/** Settings that a training takes from the family where the user gives none. */
export type FamilyDefaults = Pick<TrainConfig, "learningRate" | "maxGradNorm" | "adamBeta2">;

export interface ModelFamily {
  /** Each `model_type` of a config.json that belongs here. */
  modelTypes: readonly string[];
  /** Matches the whole names of the modules that get a LoRA: the projections of the text stack, never a vision tower. */
  loraTargets: string;
  /** Class of one block, the unit by which a model is spread over GPUs. */
  blockClass: string;
  /** Units: `parameters` is the number of weights of the whole model. */
  defaults(method: string, parameters: number): FamilyDefaults;
}
