/**
 * What is asked of a target and what it gives: ids and log-probabilities, of one of the models that it serves.
 */
import type { Hash } from "../foundation/hashing.ts";

export interface ServedModel {
  id: string;
  parent: string | null;
  baseHash: Hash;
  adapterHash: Hash | null;
  /** The adapter's file in the form that the target loads; null for the base itself. */
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
  /** What the answer's text must follow, in GBNF; null where it is free. */
  grammar: string | null;
  signal: AbortSignal;
}

export interface Scoring {
  model: string;
  ids: readonly number[];
  /** The first id to score, at least 1. */
  from: number;
  /** How many of the likeliest tokens to tell at each place. */
  top: number;
  signal: AbortSignal;
}

/** Natural log-probability of one token given all before it, and the likeliest tokens at its place, best first. */
export interface TokenScore {
  logprob: number;
  top: { id: number; logprob: number }[];
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
