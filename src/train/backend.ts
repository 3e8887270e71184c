/**
 * What a training backend is: it turns a dataset's ids and masks into a LoRA of a base. One file of `backends/`, with a
 * `TrainBackend` as default export; it knows nothing of manifests, names or the ledger.
 */
import type { CurvePoint, TrainConfig } from "../records/adapter-manifest.ts";
import type { ModelFamily } from "./family.ts";

export const LAUNCHES = ["single", "fsdp"] as const;

/** One process, its blocks in a row over the GPUs there are, or one a GPU, each with a part of every block. */
export type Launch = (typeof LAUNCHES)[number];

export interface TrainJob {
  method: string;
  family: ModelFamily;
  /** Holds tokens/train.parquet and tokens/validation.parquet, with the columns that the method declares. */
  datasetFolder: string;
  /** The base in its Hugging Face form. */
  baseFolder: string;
  /** An adapter's folder, whose weights are gone on from, and which a preference method holds to; null: the bare base. */
  parentFolder: string | null;
  /** Of the losses of good and bad answers; null where the rows have no labels. */
  labelWeights: { good: number; bad: number } | null;
  /**
   * Contract: adapter_model.safetensors, adapter_config.json, probes.json and, unless `ggufRefused` says why not,
   * adapter.gguf are written here; where all weights are trained, probes.json and a whole model in `merged/`.
   */
  outFolder: string;
  /** The backend's own; what an interrupted training left in it is gone on with. */
  checkpointFolder: string;
  config: TrainConfig;
  /** Changes how fast a training is, not what it is: so no part of `config`. */
  launch: Launch;
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
}

export type TrainProgress = { type: "progress"; stage: string } | TrainStep;

/** What a method reports of its own stands beside. Units: `margin` is beta times the difference of two log-ratios, in nats. */
export interface TrainStep {
  type: "step";
  step: number;
  steps: number;
  loss: number;
  tokensPerSecond: number;
  etaMs: number;
  margin?: number;
}

/** Units: `trainedTokens` counts those under the loss, once for each time they are trained on. */
export interface Training {
  curve: CurvePoint[];
  trainedTokens: number;
  durationMs: number;
  ggufRefused?: string | undefined;
  versions: Record<string, string>;
}

export interface TrainBackend {
  methods: readonly string[];
  train(job: TrainJob): Promise<Training>;
}
