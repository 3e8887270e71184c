/**
 * What is asked of a server of one base and its adapters, and what is known of one that runs, whichever target it has.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Home } from "../store/home.ts";
import type { Preparation } from "./served-gguf.ts";

export interface ServeOptions extends Preparation {
  home: Home;
  base: string;
  /** Names, hashes or prefixes of hashes. */
  adapters: string[];
  /** Adapters that are to be judged, not kept: loaded while it runs, where the target can, under names of their own. */
  candidates?: string[];
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  /** Answers of one model that are evaluated together. */
  parallel?: number;
  /** Left out: as many as there are free cores, followed while it serves. */
  threads?: number;
  /** Answers of one model that may wait; one more gets status 429. */
  queueLimit?: number;
  /** Longest prompt and answer together; memory grows with it, for each model and each parallel answer. */
  contextTokens?: number;
  target?: string;
  onStage?(stage: string): void;
}

export interface RunningServer {
  /** With `/v1` at its end, as clients take it. */
  url: string;
  models: { id: string; parent: string | null; baseHash: Hash; adapterHash: Hash | null }[];
  threads: number;
  contextTokens: number;
  /** Whether a request may name the seed of its draws. */
  takesSeed: boolean;
  /** The id by which a request names an adapter that is served here, or for null the base. */
  idOf(adapterHash: Hash | null): string;
  /** Gives the models' memory back once running answers are finished; until `resume`, requests get status 503. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Lets running answers finish for a while, then ends them; the port is free when it resolves. */
  close(): Promise<void>;
}
