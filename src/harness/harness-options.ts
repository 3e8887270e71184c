/**
 * What a run is told and what it gives back.
 */
import type { Clock } from "../foundation/clock.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { MemoryMode, Role, RunStarted, Sampling } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Item, Split } from "../records/item.ts";
import type { Skill } from "../skills/contract.ts";
import type { Home } from "../store/home.ts";
import type { Endpoint } from "./endpoint.ts";
import type { TipRun } from "./memory.ts";
import type { Patience } from "./model-client.ts";

export interface HarnessOptions {
  home: Home;
  skill: Skill;
  skillHash: Hash;
  /** In scan order, all of `split`. */
  items: Item[];
  split: Split;
  /** The worker is a model; the architect (default `scan-order`) and the reflector (default `none`) are rules. */
  roles: Partial<Record<Role, Endpoint | { rule: string }>>;
  /** Attempts at each item. */
  attempts: number;
  /** An item is finished after this many verified passes; all its attempts are made where this is left out. */
  enough?: number;
  /** Most attempts in flight. */
  concurrency: number;
  seed: number;
  sampling: Sampling;
  memory: MemoryMode;
  tipRuns: TipRun[];
  tipsPerPrompt?: number;
  /** A growing memory starts with the solved items that the skill brings along. */
  starters?: boolean;
  comparison: RunStarted["comparison"];
  /** Goes on with this run under the options that it was started with; a finished one gives its result again. */
  resume?: RunId;
  /** Recorded as it is, for resuming and for people. */
  config: RunStarted["config"];
  codeVersion: string;
  patience?: Patience;
  clock: Clock;
  /** Aborted: no attempt begins any more, calls in flight are cut, the run stays resumable. */
  signal: AbortSignal;
  /** Called once the run has its log, before its first attempt. */
  onOpen?(run: RunId): Promise<void>;
  /** Contract: must not throw. Called before the first attempt and after each. */
  onProgress?(progress: RunProgress): void;
}

export interface RunProgress {
  run: RunId;
  /** Attempts that are made or no longer needed, of `total`. */
  done: number;
  total: number;
  attempts: number;
  passed: number;
  solved: number;
  tips: number;
}

export interface RunResult {
  run: RunId;
  head: Hash;
  items: number;
  /** Attempts that have a verdict. */
  attempts: number;
  passed: number;
  /** Items with at least one pass. */
  solved: number;
  /** Tips that the run may read at its end. */
  tips: number;
  /** Attempts that ended without a verdict, in this process. */
  failures: number;
  /** True where every item is finished and the log is sealed; else the run can be resumed. */
  isComplete: boolean;
  stoppedBy: "interruption" | "outage" | "lost-calls" | null;
}
