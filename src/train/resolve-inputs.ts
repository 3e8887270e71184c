/**
 * What the options of `tracemill train` mean: the dataset, the base, its shape and family, and every setting.
 */
import { resolve } from "node:path";
import { type TrainConfig, trainConfigSchema } from "../records/adapter-manifest.ts";
import type { Home } from "../store/home.ts";
import { readBaseManifest, readDatasetManifest } from "../store/manifests.ts";
import { familyOf } from "./families.ts";
import type { ModelFamily } from "./family.ts";
import { type ModelConfig, readModelConfig } from "./model-config.ts";

export interface GivenInputs {
  home: Home;
  /** Hash of a dataset, or a prefix of it. */
  dataset: string;
  base: string;
  method: string;
  /** Settings as they were given; what is missing is the family's. */
  config: Partial<TrainConfig>;
}

export interface ResolvedInputs {
  datasetFolder: string;
  baseFolder: string;
  model: ModelConfig;
  family: ModelFamily;
  config: TrainConfig;
}

/** Throws: `UNKNOWN_DATASET`, `UNKNOWN_BASE`, `BAD_MODEL_CONFIG`, `UNKNOWN_FAMILY`. */
export async function resolveInputs({ home, dataset, base, method, config }: GivenInputs): Promise<ResolvedInputs> {
  const { datasetHash } = await readDatasetManifest(home, dataset);
  const { hfFolder } = await readBaseManifest(home, base);
  const baseFolder = resolve(home.baseFolder(base), hfFolder);
  const model = await readModelConfig(baseFolder);
  const family = await familyOf(model.modelType);
  const defaults = family.defaults(method, model.parameters);
  const settings = trainConfigSchema.parse({ ...defaults, ...config });
  return { datasetFolder: home.datasetFolder(datasetHash), baseFolder, model, family, config: settings };
}
