/**
 * What can serve a base and its adapters. A target is a file of `targets/` with a `TargetKind` as default export: either
 * an engine, ids in, ids and log-probabilities out, which knows nothing of HTTP, text or templates and stands behind our
 * own endpoint; or a server of its own.
 */
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Home } from "../store/home.ts";
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
  /** For a server of its own: how long it may take until it answers, and what ends it meanwhile. */
  startTimeoutMs?: number;
  signal?: AbortSignal;
  onStage?(stage: string): void;
}

/** What was evaluated since the start, over all models: `tokens / batches` tells how well answers share batches. */
export interface Evaluated {
  batches: number;
  /** Tokens of prompts, answers and scores, each as often as it was evaluated. */
  tokens: number;
}

export interface Target {
  readonly contextTokens: number;
  /** The process group that serves, where one was started here; `ended` is null while it runs, else why it does not. */
  readonly process?: { pid: number; ended(): string | null };
  /** Yields the answer's ids; a stop id is yielded too and is the last. */
  generate(request: Generation): AsyncIterable<number>;
  /** Scores `ids[from]` and all after it. */
  score(request: Scoring): Promise<TokenScore[]>;
  evaluated(): Evaluated;
  /** From the next batch on. */
  setThreads(count: number): void;
  /** Serves one more model; left out where it knows only those that it was started with. */
  load?(model: ServedModel): Promise<void>;
  /** Gives back what a model takes that nobody asks any more. */
  unload?(id: string): Promise<void>;
  close(): Promise<void>;
}

/** An adapter in PEFT's form, under the name by which requests mean it. */
export interface PeftAdapter {
  id: string;
  folder: string;
}

export interface ModelServerOptions {
  /** Where it is noted which adapters of a server that is not ours are used. */
  home: Home;
  base: BaseManifest;
  /** In its Hugging Face form. */
  baseFolder: string;
  /** Served from the start. */
  adapters: PeftAdapter[];
  /** Answers at once. */
  parallel: number;
  contextTokens: number;
  /** For how many adapters, and of which highest rank, room is made. */
  rooms: { adapters: number; rank: number };
  /** Gets all that the server says. */
  logFile: string;
  /** What the user has to say to it beside what is said here. */
  args: readonly string[];
  /** How long it may take until it answers. */
  startTimeoutMs: number;
  /** Ends it while it starts. */
  signal?: AbortSignal;
  onStage?(stage: string): void;
  /** What the user should know of a server that is not ours. */
  onWarning?(text: string): void;
}

/** A server that answers by itself. */
export interface ModelServer {
  /** Without a path. */
  origin: string;
  /** Of the process group that was started here; null where none was. */
  pid: number | null;
  /** Null while it runs; else why it does not, with its last lines. */
  ended(): string | null;
  /** Whether a request may name the seed of its draws. */
  takesSeed: boolean;
  /** Whether a prompt whose tokens are scored has to be answered while nothing else is. */
  scoresAlone: boolean;
  /** Serves one more adapter. */
  load(adapter: PeftAdapter): Promise<void>;
  unload(id: string): Promise<void>;
  /** The adapters that were loaded and are not there any more, as the server is not ours. */
  missing(): Promise<string[]>;
  /** Ends what was started; of a server that ran before only takes away what was loaded. */
  close(): Promise<void>;
}

interface AnyKind {
  /** How far a live adapter's log-probabilities may lie from the trainer's; see canary.ts. */
  tolerance: CanaryTolerance;
  /** Prompts that may be scored at once; left out: as many as one likes. */
  scoresAtOnce?: number;
}

/** Evaluates ids, behind our own endpoint. */
export interface EngineKind extends AnyKind {
  start(options: TargetOptions): Promise<Target>;
}

/** Is an endpoint itself. */
export interface ServerKind extends AnyKind {
  /** Whether one that runs already is used, which others may load adapters into as well; left out: never. */
  isAttached?(): boolean;
  serve(options: ModelServerOptions): Promise<ModelServer>;
}

export type TargetKind = EngineKind | ServerKind;
