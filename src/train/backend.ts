/**
 * What a training backend is: it turns a dataset's ids and masks into a LoRA of a base. One file of `backends/`, with a
 * `TrainBackend` as default export; it knows nothing of manifests, names or the ledger.
 */
import type { CurvePoint, StoppedBy, TrainConfig } from "../records/adapter-manifest.ts";
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
  /** Tokenised general rows that are mixed in, as many as `config.rehearsal` says; null: none. */
  rehearsalFile: string | null;
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
  /** The GPU of each block, as it was planned; null: the backend's own choice. */
  blockDevices: number[] | null;
  /** GPUs of the plan, all of which the trainer has to see; 0: the processor, or no plan. */
  plannedGpus: number;
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
}

export type TrainProgress = { type: "progress"; stage: string } | TrainStep | TrainValidation;

/** What a method reports of its own stands beside. Units: `margin` is beta times the difference of two log-ratios, in nats. */
export interface TrainStep {
  type: "step";
  step: number;
  steps: number;
  loss: number;
  learningRate: number;
  tokensPerSecond: number;
  etaMs: number;
  memoryBytes?: number;
  gradNorm?: number;
  margin?: number;
}

/**
 * A look at the model between two steps, with what a method reports of its own beside. Units: `loss` on the validation rows,
 * where there are some; `klToBase` in nats a token.
 */
export interface TrainValidation {
  type: "validation";
  step: number;
  epoch: number;
  loss?: number | undefined;
  klToBase?: number;
}

/** Units: `trainedTokens` counts those under the loss, once for each time they are trained on. */
export interface Training {
  curve: CurvePoint[];
  trainedTokens: number;
  durationMs: number;
  ggufRefused?: string | undefined;
  /** What ended it before all rows had been trained on; null: nothing. */
  stoppedBy?: StoppedBy | null;
  /** The step whose weights were kept, where patience was asked for. */
  bestStep?: number | null;
  versions: Record<string, string>;
}

/** What a backend can do; a choice outside of it is refused before any work. */
export interface Support {
  /** Each `model_type` that it trains; null: every one that has a family. */
  modelTypes: readonly string[] | null;
  /** The values that a setting may have; a setting that is not named may have any. */
  only: { readonly [Key in keyof TrainConfig]?: readonly TrainConfig[Key][] };
  /** Whether it goes on from an adapter. */
  parents: boolean;
  launches: readonly Launch[];
  /** Whether one process lays its blocks over several GPUs; else each card at work holds all of them. */
  spreads: boolean;
  memory: MemoryUse;
}

/** What a plan has to know of how a trainer uses memory. */
export interface MemoryUse {
  /** Whether packed rows fill sequences of `maxTokens`; else those of one micro-batch lie end to end. */
  fillsSequences: boolean;
  /** Whether a LoRA's base is loaded with its towers. */
  loadsTowers: boolean;
  /** Whether what is not quantised is cast to float32 where the blocks are in 4 bits. */
  castsUp: boolean;
  /** Whether only tokens under the loss get logits, always in chunks; else all tokens do, and those of a validation row all at once. */
  savesLogits: boolean;
}

/** That of our own trainer, whoever loads the base. */
export const OWN_MEMORY: MemoryUse = {
  fillsSequences: false,
  loadsTowers: false,
  castsUp: false,
  savesLogits: true,
};

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
