/**
 * What the options of `tracemill train` mean: the dataset, the base, its shape and family, and every setting.
 */
import { resolve } from "node:path";
import type { z } from "zod";
import { type TrainConfig, trainConfigSchema } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Home } from "../store/home.ts";
import { readBaseManifest, readDatasetManifest } from "../store/manifests.ts";
import { familyOf } from "./families.ts";
import type { FamilyDefaults, ModelFamily } from "./family.ts";
import { type ModelConfig, readModelConfig } from "./model-config.ts";

/** A LoRA learns best at about ten times the rate of all weights (Schulman et al., LoRA Without Regret, 2025). */
const LORA_TIMES_FULL_RATE = 10;

/** A training's settings; those that a family of models knows best may be left to it. */
export type TrainSettings = Omit<z.input<typeof trainConfigSchema>, keyof FamilyDefaults> & Partial<FamilyDefaults>;

export interface GivenInputs {
  home: Home;
  /** Hash of a dataset, or a prefix of it. */
  dataset: string;
  base: string;
  method: string;
  config: TrainSettings;
}

export interface ResolvedInputs {
  dataset: DatasetManifest;
  datasetFolder: string;
  base: BaseManifest;
  /** The base in its Hugging Face form. */
  baseFolder: string;
  model: ModelConfig;
  family: ModelFamily;
  config: TrainConfig;
}

/** Throws: `UNKNOWN_DATASET`, `UNKNOWN_BASE`, `BAD_MODEL_CONFIG`, `UNKNOWN_FAMILY`. */
export async function resolveInputs(given: GivenInputs): Promise<ResolvedInputs> {
  const { home, method } = given;
  const dataset = await readDatasetManifest(home, given.dataset);
  const base = await readBaseManifest(home, given.base);
  const baseFolder = resolve(home.baseFolder(base.name), base.hfFolder);
  const model = await readModelConfig(baseFolder);
  const family = await familyOf(model.modelType);
  const defaults = family.defaults(method, model.parameters);
  if (given.config.trains === "full") defaults.learningRate /= LORA_TIMES_FULL_RATE;
  const config = trainConfigSchema.parse({ ...defaults, ...given.config });
  return { dataset, datasetFolder: home.datasetFolder(dataset.datasetHash), base, baseFolder, model, family, config };
}
