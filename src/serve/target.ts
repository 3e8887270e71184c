/**
 * What can serve a base and its adapters: ids in, ids and log-probabilities out. A target is a file of `targets/` with
 * a `TargetKind` as default export; it knows nothing of HTTP, text or templates.
 */
import type { CanaryTolerance, Generation, Scoring, ServedModel, TokenScore } from "./generation.ts";

export interface TargetOptions {
  weightsFile: string;
  models: ServedModel[];
  /** Longest prompt and answer together. */
  contextTokens: number;
  /** Answers that are evaluated together, for each model. */
  parallel: number;
  /** To begin with; see `setThreads`. */
  threads: number;
}

/** What was evaluated since the start, over all models: `tokens / batches` tells how well answers share batches. */
export interface Evaluated {
  batches: number;
  /** Tokens of prompts, answers and scores, each as often as it was evaluated. */
  tokens: number;
}

export interface Target {
  readonly contextTokens: number;
  /** Yields the answer's ids; a stop id is yielded too and is the last. */
  generate(request: Generation): AsyncIterable<number>;
  /** Scores `ids[from]` and all after it. */
  score(request: Scoring): Promise<TokenScore[]>;
  evaluated(): Evaluated;
  /** From the next batch on. */
  setThreads(count: number): void;
  close(): Promise<void>;
}

export interface TargetKind {
  /** How far a live adapter's log-probabilities may lie from the trainer's; see canary.ts. */
  tolerance: CanaryTolerance;
  start(options: TargetOptions): Promise<Target>;
}
