/**
 * What a run log says of a run that is not finished: the fold of its events, and the work that is left.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { ActionCall, EndReason, EventData, RunEvent, RunStarted, Turn } from "../records/events.ts";
import {
  type AttemptId,
  attemptId,
  attemptParts,
  type ItemId,
  type RunId,
  type TipId,
  type TurnId,
} from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import { type Message, messageSchema } from "../records/message.ts";
import type { Tip } from "../records/tip.ts";
import type { ActionResult } from "../skills/contract.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/runs.ts";
import type { Tried } from "./history.ts";
import type { ItemProgress } from "./role.ts";
import { foldSinceKept, nothingKept, type SinceKept } from "./since-kept.ts";

/** A worker's answer that is in the log. */
export interface Answered {
  turn: TurnId;
  answer: Message;
}

/** What an earlier process left of an attempt: turns that were written, and the worker's answer where one came. */
export interface AttemptStart {
  turns: number;
  answered: Answered | null;
}

export interface RunState {
  start: RunStarted | null;
  items: Item[] | null;
  /** Whether each attempt that has a verdict passed. */
  verdicts: Map<AttemptId, boolean>;
  /** Of the attempts without a verdict: how many turns were written, and the last one that was answered. */
  open: Map<AttemptId, { turns: number; answered: Turn | null }>;
  finishedItems: Set<ItemId>;
  /** Of the items that are not finished: what was tried, what it took, and the plan that holds. */
  unfinished: Map<ItemId, ItemPast>;
  /** The action of each attempt whose verdict is still to come. */
  actions: Map<AttemptId, Acted>;
  /** The kept state that an attempt left, until its verdict says that the attempt is whole. */
  checkpoints: Map<AttemptId, string>;
  /** The kept state that the next attempt begins with; null is the baseline. */
  kept: string | null;
  /** How often a model was asked to choose an item. */
  selections: number;
  tips: Tip[];
  /** Own tips that were merged into others. */
  retiredTips: Set<TipId>;
  sinceKept: SinceKept;
}

/** What was done in a workspace, and what it gave. */
export interface Acted {
  call: ActionCall;
  result: ActionResult;
}

/** An attempt whose action only shows once the workspace was settled; `turns` of it are written. */
export interface Deferred extends Acted {
  attempt: AttemptId;
  turns: number;
}

export interface ItemPast {
  history: Tried[];
  plan: string | null;
  /** The attempt after which the plan was last looked at. */
  plannedAfter: number;
  /** Units: time in calls and actions; tokens of prompts and answers. */
  spentMs: number;
  spentTokens: number;
  deferred: Deferred | null;
}

/** The state of a run of whose log nothing was read. */
export function emptyState(): RunState {
  return {
    start: null,
    items: null,
    verdicts: new Map(),
    open: new Map(),
    finishedItems: new Set(),
    unfinished: new Map(),
    actions: new Map(),
    checkpoints: new Map(),
    kept: null,
    selections: 0,
    tips: [],
    retiredTips: new Set(),
    sinceKept: nothingKept(),
  };
}

function noPast(): ItemPast {
  return { history: [], plan: null, plannedAfter: 0, spentMs: 0, spentTokens: 0, deferred: null };
}

function pastOf(state: RunState, item: ItemId): ItemPast {
  const past = state.unfinished.get(item) ?? noPast();
  state.unfinished.set(item, past);
  return past;
}

/** Takes one event into the state. */
export function foldEvent(state: RunState, event: RunEvent): void {
  foldSinceKept(state.sinceKept, event);
  switch (event.type) {
    case "run_started":
      state.start = event.data;
      break;
    case "items_scanned":
      state.items = event.data.items;
      break;
    case "turn":
      foldTurn(state, event.data);
      break;
    case "action": {
      const { attempt, call, exitCode, stdout, stderr, durationMs } = event.data;
      state.actions.set(attempt, { call, result: { exitCode, stdout, stderr } });
      pastOf(state, attemptParts(attempt).item).spentMs += durationMs;
      break;
    }
    case "architect_decided": {
      const past = pastOf(state, event.data.item);
      past.plan = event.data.plan;
      past.plannedAfter = past.history.at(-1)?.n ?? 0;
      break;
    }
    case "checkpoint":
      state.checkpoints.set(event.data.attempt, event.data.name);
      break;
    case "verdict":
      if (event.data.verdict.signalType !== "judgment") foldVerdict(state, event.data);
      break;
    case "tip_saved":
      state.tips.push(event.data);
      break;
    case "tip_retired":
      state.retiredTips.add(event.data.tip);
      break;
    case "item_finished":
      state.finishedItems.add(event.data.item);
      state.unfinished.delete(event.data.item);
      break;
  }
}

function foldTurn(state: RunState, turn: Turn): void {
  const { attempt, role, response, latencyMs, usage } = turn;
  if (turn.phase === "select") {
    state.selections++;
    return;
  }
  const past = pastOf(state, attemptParts(attempt).item);
  const before = state.open.get(attempt);
  const answered = role === "worker" && response !== null ? turn : (before?.answered ?? null);
  if (past.deferred?.attempt === attempt) past.deferred.turns++;
  else state.open.set(attempt, { turns: (before?.turns ?? 0) + 1, answered });
  past.spentMs += latencyMs;
  past.spentTokens += (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0);
}

function foldVerdict(state: RunState, { attempt, verdict }: EventData<"verdict">): void {
  const { item, n } = attemptParts(attempt);
  const acted = state.actions.get(attempt);
  const kept = state.checkpoints.get(attempt);
  const turns = state.open.get(attempt)?.turns ?? 0;
  state.verdicts.set(attempt, verdict.passed);
  state.open.delete(attempt);
  state.kept = kept ?? state.kept;
  state.checkpoints.delete(attempt);
  state.actions.delete(attempt);
  const past = pastOf(state, item);
  // A state is kept after a pass, or after an action that is still to show.
  const isDeferred = kept !== undefined && !verdict.passed && acted !== undefined;
  const before = past.deferred?.attempt === attempt ? past.deferred : null;
  if (isDeferred) past.deferred = { attempt, ...acted, turns };
  else if (before !== null) past.deferred = null;
  if (!verdict.passed) noteTried(past.history, { n, call: acted?.call ?? before?.call ?? null, verdict });
}

/** Adds a failed attempt to an item's history; what was said of the last one later stands in place of it. */
export function noteTried(history: Tried[], tried: Tried): void {
  const last = history.at(-1);
  if (last?.n !== tried.n) history.push(tried);
  else history[history.length - 1] = { ...tried, call: tried.call ?? last.call };
}

/** Reads from the log, with the answers in full, how far each attempt without a verdict had come. */
export async function attemptStarts(home: Home, run: RunId, state: RunState): Promise<Map<AttemptId, AttemptStart>> {
  const wanted = new Set([...state.open.values()].flatMap(({ answered }) => answered?.response ?? []));
  const answers = new Map<Hash, Message>();
  if (wanted.size > 0) {
    for await (const event of readRunLog(home, run)) {
      if (event.type === "message" && wanted.has(event.data.hash)) {
        answers.set(event.data.hash, messageSchema.parse(event.data.message));
      }
    }
  }
  const starts = new Map<AttemptId, AttemptStart>();
  for (const [attempt, { turns, answered }] of state.open) {
    const answer = answered?.response ? answers.get(answered.response) : undefined;
    starts.set(attempt, { turns, answered: answered && answer ? { turn: answered.turn, answer } : null });
  }
  return starts;
}

/** One item's part in a run. */
export interface ItemWork extends ItemProgress, ItemPast {
  /** Numbers of the attempts that are still to be made, ascending. */
  left: number[];
  /** Attempts that the endpoint lost: resuming makes them. */
  lost: number;
  /** Attempts that something else than the agent ended. */
  failed: number;
  /** Attempts that a broken environment ended: resuming makes them. */
  broken: number;
  /** What ends the item before its attempts are spent. */
  endReason: EndReason | null;
  /** The architect left it out. */
  isSkipped: boolean;
  /** Null where the first attempt has no verdict. */
  isFirstTryPassed: boolean | null;
  isInWork: boolean;
  isFinished: boolean;
}

/** Lists each item's work in scan order: the attempts that have no verdict yet. */
export function workLeft(
  run: RunId,
  items: readonly Item[],
  { state, attempts }: { state: RunState; attempts: number },
): ItemWork[] {
  return items.map((item) => {
    const numbers = Array.from({ length: attempts }, (_, i) => i + 1);
    const verdicts = numbers.map((n) => state.verdicts.get(attemptId(run, item.item, n)));
    return {
      item,
      tried: verdicts.filter((passed) => passed !== undefined).length,
      passed: verdicts.filter((passed) => passed === true).length,
      left: numbers.filter((_, i) => verdicts[i] === undefined),
      lost: 0,
      failed: 0,
      broken: 0,
      endReason: null,
      isSkipped: false,
      isFirstTryPassed: verdicts[0] ?? null,
      isInWork: false,
      isFinished: state.finishedItems.has(item.item),
      ...noPast(),
      ...state.unfinished.get(item.item),
    };
  });
}
