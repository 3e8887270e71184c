/**
 * What a training backend is: it turns a dataset's ids and masks into a LoRA of a base. One file of `backends/`, with a
 * `TrainBackend` as default export; it knows nothing of manifests, names or the ledger.
 */
import type { CurvePoint, TrainConfig } from "../records/adapter-manifest.ts";
import type { ModelFamily } from "./family.ts";

export interface TrainJob {
  method: string;
  family: ModelFamily;
  /** Holds tokens/train.parquet and tokens/validation.parquet: row_id, ids, mask. */
  datasetFolder: string;
  /** The base in its Hugging Face form. */
  baseFolder: string;
  /** Contract: adapter_model.safetensors, adapter_config.json, adapter.gguf and probes.json are written here. */
  outFolder: string;
  /** The backend's own; what an interrupted training left in it is gone on with. */
  checkpointFolder: string;
  config: TrainConfig;
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
}

export type TrainProgress =
  | { type: "progress"; stage: string }
  | { type: "step"; step: number; steps: number; loss: number; tokensPerSecond: number; etaMs: number };

/** Units: `trainedTokens` counts those under the loss, once for each time they are trained on. */
export interface Training {
  curve: CurvePoint[];
  trainedTokens: number;
  durationMs: number;
  versions: Record<string, string>;
}

/** What a backend can do; a choice outside of it is refused before any work. */
export interface Support {
  /** Each `model_type` that it trains; null: every one that has a family. */
  modelTypes: readonly string[] | null;
  /** The values that a setting may have; a setting that is not named may have any. */
  only: { readonly [Key in keyof TrainConfig]?: readonly TrainConfig[Key][] };
}

export interface TrainBackend {
  methods: readonly string[];
  supports: Support;
  /** Refuses where what it runs is not installed here, or a GPU that it needs is not there. */
  checkReady?(): Promise<void>;
  train(job: TrainJob): Promise<Training>;
  /** Writes what would be trained with into a folder, to be run elsewhere, and returns the command for it. */
  writeInputs?(
    job: Pick<TrainJob, "datasetFolder" | "baseFolder" | "family" | "config">,
    folder: string,
  ): Promise<string>;
}
