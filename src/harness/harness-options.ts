/**
 * What a run is told and what it gives back.
 */
import type { Clock } from "../foundation/clock.ts";
import type { Lane } from "../foundation/fair-turns.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { EventData, MemoryMode, Role, RunStarted, Sampling, SiteMode } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Item, Split } from "../records/item.ts";
import type { Skill } from "../skills/contract.ts";
import type { Home } from "../store/home.ts";
import type { Contradiction } from "./consolidate.ts";
import type { Endpoint } from "./endpoint.ts";
import type { TipRun, TipStanding } from "./memory.ts";
import type { Patience } from "./model-client.ts";

export interface HarnessOptions {
  home: Home;
  skill: Skill;
  skillHash: Hash;
  /** In scan order, all of `split`. */
  items: Item[];
  split: Split;
  /** The worker is a model, the auditor a model or nobody; the others are models or rules (defaults: `scan-order`, `none`). */
  roles: Partial<Record<Role, Endpoint | { rule: string }>>;
  /** Attempts at each item. */
  attempts: number;
  /** The run ends after so many attempts, with the items left that are open then. */
  mostAttempts?: number;
  /** Asked before each attempt: once it says so the run ends as where `mostAttempts` are made. */
  isEnough?(): boolean;
  /** Where attempts act; see site.ts. */
  mode?: SiteMode;
  /** Tells the worker what was tried at the item before. */
  showsAttempts?: boolean;
  /** Offers the worker the skill's tools; else it acts by text. */
  hasNativeTools?: boolean;
  /** A model that plays the architect looks at a plan again after so many failed attempts. */
  replanAfter?: number;
  /** What an item may take before it is given up. */
  itemBudget?: ItemBudget;
  /** Probability with which each retrieved tip is left out by a recorded draw. */
  tipDropout?: number;
  /** The skill's folder, where it may have prompts of its own. */
  skillFolder?: string;
  /** An item is finished after this many verified passes; all its attempts are made where this is left out. */
  enough?: number;
  /** Most attempts in flight. */
  concurrency: number;
  /** Waits until an attempt may begin, where runs go on side by side. */
  turn?: Lane;
  /** The same until a model may be asked. */
  callTurn?: Lane;
  seed: number;
  sampling: Sampling;
  memory: MemoryMode;
  tipRuns: TipRun[];
  /** What is known of these runs' tips; as ledger and lake have it at the run's start where this is left out. */
  standing?: TipStanding;
  /** How tips are found for an item: a file of `retrieval-methods/`, `bm25` where this is left out. */
  retrieval?: string;
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
  /** Contract: must not throw. Called before the first attempt, and as each begins and ends. */
  onProgress?(progress: RunProgress): void;
  /** Contract: must not throw. Called as an item gets its end state. */
  onItemFinished?(finished: EventData<"item_finished">): void;
}

/** Units: time that passes in calls and actions; tokens of prompts and answers of all roles. */
export interface ItemBudget {
  timeMs?: number;
  tokens?: number;
}

export interface RunProgress {
  run: RunId;
  /** Attempts that are made or no longer needed, of `total`. */
  done: number;
  total: number;
  attempts: number;
  passed: number;
  solved: number;
  /** First attempts that have a verdict, and those of them that passed. */
  firstTries: number;
  firstPasses: number;
  /** Items that the run is of; those that have a verdict; those that have their end state. */
  items: number;
  begunItems: number;
  finishedItems: number;
  /** Tokens of answers, all roles, in this process. */
  completionTokens: number;
  /** The item that an attempt began at or a role was asked about last. */
  item: string | null;
  tips: number;
}

export interface RunResult {
  run: RunId;
  head: Hash;
  items: number;
  /** Attempts that have a verdict. */
  attempts: number;
  passed: number;
  /** Items with at least one pass, and all that have a verdict. */
  solved: number;
  begunItems: number;
  /** First attempts that have a verdict, and those of them that passed. */
  firstTries: number;
  firstPasses: number;
  /** Tips that the run may read at its end. */
  tips: number;
  /** Attempts that ended without a verdict, in this process. */
  failures: number;
  /** Tips that this process merged into older ones at the run's end, and pairs that may contradict each other. */
  merged: number;
  contradictions: Contradiction[];
  /** True where every item is finished and the log is sealed; else the run can be resumed. */
  isComplete: boolean;
  stoppedBy: "interruption" | "outage" | "lost-calls" | "environment" | null;
}
