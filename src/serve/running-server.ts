/**
 * What is asked of a server of one base and its adapters, and what is known of one that runs, whichever target it has.
 */
import { assert } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Home } from "../store/home.ts";
import type { Model } from "./model-card.ts";
import type { Proofs } from "./proofs.ts";
import type { Preparation } from "./served-gguf.ts";
import type { Meanings } from "./served-names.ts";

export interface ServeOptions extends Preparation {
  home: Home;
  base: string;
  /** Names, hashes or prefixes of hashes. */
  adapters: string[];
  /** Adapters that are to be judged, not kept: loaded while it runs, where the target can, under names of their own. */
  candidates?: string[];
  /** Whether adapters answer nobody until whoever starts the server has proven them, by its `proofs`, at each process anew. */
  wantsProofs?: boolean;
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
  /** For a server of its own: what it is told beside what is said here, and how long it may take until it answers. */
  args?: readonly string[];
  startTimeoutMs?: number;
  /** Ends it while it starts. */
  signal?: AbortSignal;
  onStage?(stage: string): void;
  /** What the user should know of a server that is not ours. */
  onWarning?(text: string): void;
}

export interface RunningServer {
  /** With `/v1` at its end, as clients take it. */
  url: string;
  /** Those of now, under their own names. */
  readonly models: Model[];
  threads: number;
  contextTokens: number;
  /** Whether a request may name the seed of its draws. */
  takesSeed: boolean;
  /** The id by which a request names an adapter that is served here, or for null the base. */
  idOf(adapterHash: Hash | null): string;
  /**
   * Serves one more adapter (name, hash or prefix of it) and returns its id; what runs goes on.
   * Throws: as `startServer` of an adapter, and where the target takes no more.
   */
  load(adapter: string): Promise<string>;
  /** Takes an adapter away from new requests at once; resolves when those that ask it are answered and it is closed. */
  unload(id: string): Promise<void>;
  /** Finds the adapters that a server that is not ours has lost since the last look; they answer nobody from now on. */
  lost(): Promise<string[]>;
  /** Loads such a one again. Throws: what loading it does. */
  restore(id: string): Promise<void>;
  /** Those that adapters have to pass before they answer, where such are wanted. */
  proofs: Proofs;
  /** From the next request on, these names mean these models, beside the models' own ids, which they never hide. */
  call(meanings: Meanings): void;
  /** Gives the models' memory back once running answers are finished; until `resume`, requests get status 503. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Lets running answers finish for a while, then ends them; the port is free when it resolves. */
  close(): Promise<void>;
  /** Of the process group that serves now, where it is one of its own that was started here. */
  pid(): number | null;
  /** Why such a process has ended by itself; null while it runs or is paused. `resume` starts it again. */
  ended(): string | null;
}

/** Finds the id of an adapter that is served, or for null of the base. */
export function idAmong(models: readonly Model[], adapterHash: Hash | null): string {
  const served = models.find((model) => model.adapterHash === adapterHash);
  assert(served !== undefined, `adapter ${adapterHash} is not served`);
  return served.id;
}
