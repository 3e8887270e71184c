/**
 * What can serve a base and its adapters: ids in, ids and log-probabilities out. A target is a file of `targets/` with
 * a `TargetKind` as default export; it knows nothing of HTTP, text or templates.
 */
import type { Hash } from "../foundation/hashing.ts";

export interface ServedModel {
  id: string;
  parent: string | null;
  baseHash: Hash;
  adapterHash: Hash | null;
  /** The adapter's file in the form that this target loads; null for the base itself. */
  adapterFile: string | null;
}

export interface Generation {
  model: string;
  prompt: readonly number[];
  maxTokens: number;
  /** 0 takes the likeliest token. */
  temperature: number;
  topP: number;
  seed: number;
  stopIds: readonly number[];
  signal: AbortSignal;
}

/** Natural log-probability of one token given all before it, and the likeliest tokens at its place, best first. */
export interface TokenScore {
  logprob: number;
  top: { id: number; logprob: number }[];
}

export interface Target {
  /** Longest prompt and answer together. */
  readonly contextTokens: number;
  /** Yields the answer's ids; a stop id is yielded too and is the last. */
  generate(request: Generation): AsyncIterable<number>;
  /** Scores `ids[from]` and all after it. Contract: `from` >= 1. */
  score(request: {
    model: string;
    ids: readonly number[];
    from: number;
    top: number;
    signal: AbortSignal;
  }): Promise<TokenScore[]>;
  close(): Promise<void>;
}

export interface TargetOptions {
  weightsFile: string;
  models: ServedModel[];
  contextTokens: number;
  /** Sequences that are evaluated together, for each model. */
  parallel: number;
  threads: number;
}

export interface TargetKind {
  /** How far a live adapter's log-probabilities may lie from the trainer's; see canary.ts. */
  tolerance: CanaryTolerance;
  start(options: TargetOptions): Promise<Target>;
}

/** Units: mean absolute differences of log-probabilities. */
export interface CanaryTolerance {
  /** How far the endpoint's base may lie from the trainer's at all. */
  base: number;
  /** An adapter may lie this many times further from the trainer than the base does: that is the target's own noise... */
  noiseFactor: number;
  /** ...or this part of what the adapter changes, whichever is more. */
  effectFraction: number;
}
