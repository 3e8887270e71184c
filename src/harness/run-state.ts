/**
 * What a run log says of a run that is not finished: the fold of its events, and the work that is left.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { LoggedEvent, RunStarted, Turn } from "../records/events.ts";
import { type AttemptId, attemptId, type ItemId, type RunId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Message } from "../records/message.ts";
import type { Tip } from "../records/tip.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/run-log.ts";
import type { AttemptStart } from "./attempt.ts";
import type { ItemProgress } from "./role.ts";

export interface RunState {
  start: RunStarted | null;
  items: Item[] | null;
  /** Whether each attempt that has a verdict passed. */
  verdicts: Map<AttemptId, boolean>;
  /** Of the attempts without a verdict: how many turns were written, and the last one that was answered. */
  open: Map<AttemptId, { turns: number; answered: Turn | null }>;
  finishedItems: Set<ItemId>;
  tips: Tip[];
}

export function emptyState(): RunState {
  return {
    start: null,
    items: null,
    verdicts: new Map(),
    open: new Map(),
    finishedItems: new Set(),
    tips: [],
  };
}

/** Takes one event into the state. */
export function foldEvent(state: RunState, event: LoggedEvent): void {
  switch (event.type) {
    case "run_started":
      state.start = event.data;
      break;
    case "items_scanned":
      state.items = event.data.items;
      break;
    case "turn": {
      const before = state.open.get(event.data.attempt);
      const answered = event.data.response === null ? (before?.answered ?? null) : event.data;
      state.open.set(event.data.attempt, { turns: (before?.turns ?? 0) + 1, answered });
      break;
    }
    case "verdict":
      state.verdicts.set(event.data.attempt, event.data.verdict.passed);
      state.open.delete(event.data.attempt);
      break;
    case "tip_saved":
      state.tips.push(event.data);
      break;
    case "item_finished":
      state.finishedItems.add(event.data.item);
      break;
  }
}

/** Reads from the log, with the answers in full, how far each attempt without a verdict had come. */
export async function attemptStarts(home: Home, run: RunId, state: RunState): Promise<Map<AttemptId, AttemptStart>> {
  const wanted = new Set([...state.open.values()].flatMap(({ answered }) => answered?.response ?? []));
  const answers = new Map<Hash, Message>();
  if (wanted.size > 0) {
    for await (const event of readRunLog(home, run)) {
      if (event.type === "message" && wanted.has(event.data.hash)) answers.set(event.data.hash, event.data.message);
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
export interface ItemWork extends ItemProgress {
  /** Numbers of the attempts that are still to be made, ascending. */
  left: number[];
  /** Attempts that the endpoint lost: resuming makes them. */
  lost: number;
  /** Attempts that something else than the agent ended. */
  failed: number;
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
      isInWork: false,
      isFinished: state.finishedItems.has(item.item),
    };
  });
}
