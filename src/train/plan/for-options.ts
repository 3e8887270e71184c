/**
 * A plan for the options of `tracemill train`: finds the dataset, the base and its family's settings, and checks no more
 * than a plan needs, so that one may plan before a training could start.
 */
import { resolve } from "node:path";
import { type TrainConfig, trainConfigSchema } from "../../records/adapter-manifest.ts";
import type { Home } from "../../store/home.ts";
import { readBaseManifest, readDatasetManifest } from "../../store/manifests.ts";
import { familyOf } from "../families.ts";
import { readModelConfig } from "../model-config.ts";
import type { TrainPlan } from "./plan.ts";
import { preflight } from "./preflight.ts";

export interface PlanRequest {
  home: Home;
  /** Hash of a dataset, or a prefix of it. */
  dataset: string;
  base: string;
  method: string;
  /** Settings as they were given; what is missing is the family's. */
  config: Partial<TrainConfig>;
  /** What `--gpus` says. */
  gpus?: string;
}

/**
 * Plans a training. Throws: `UNKNOWN_DATASET`, `UNKNOWN_BASE`, `BAD_MODEL_CONFIG`, `UNKNOWN_FAMILY`, and as `preflight`.
 */
export async function planAdapter({ home, dataset, base, method, config, gpus }: PlanRequest): Promise<TrainPlan> {
  const { datasetHash } = await readDatasetManifest(home, dataset);
  const { hfFolder } = await readBaseManifest(home, base);
  const { modelType, parameters, shape } = await readModelConfig(resolve(home.baseFolder(base), hfFolder));
  const defaults = (await familyOf(modelType)).defaults(method, parameters);
  return preflight({
    ...{ base, method, shape, datasetFolder: home.datasetFolder(datasetHash) },
    config: trainConfigSchema.parse({ ...defaults, ...config }),
    ...(gpus !== undefined && { gpus }),
  });
}
