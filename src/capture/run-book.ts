/**
 * What a recorded run holds so far, folded from its events: its items, how far each attempt has come, which conversation
 * each attempt had, and what was said of it. Rebuilt from the log when a recorder goes on with a run.
 */
import type { RunEvent } from "../records/events.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId, turnId } from "../records/ids.ts";
import { keyOf, openConversations } from "./conversations.ts";

export interface RunBook {
  readonly items: ReadonlySet<ItemId>;
  /** How often something went wrong. */
  readonly failures: number;
  take(event: RunEvent): void;
  /** Notes what a message of this hash says, as conversations are told by. */
  noteMessage(hash: string, key: string): void;
  /** The attempt that a prompt goes on with. Shapes: `keys` are those of its messages. */
  continued(scope: Scope, keys: readonly string[]): AttemptId | null;
  /** Notes a prompt before its answer is there, so that calls that come meanwhile can go on from it. */
  noteSent(attempt: AttemptId, role: string, keys: readonly string[]): void;
  knows(attempt: AttemptId): boolean;
  /** The attempt that comes next at an item. */
  nextAttempt(item: ItemId): AttemptId;
  /** Takes the number of an attempt's next turn. */
  nextTurn(attempt: AttemptId): number;
  summary(): ItemSummary[];
}

/** What has to agree, besides the messages, for a call to continue another. */
export interface Scope {
  /** Null where the agent named none. */
  item: ItemId | null;
  role: string;
}

export interface ItemSummary {
  item: ItemId;
  attempts: number;
  passed: number;
  isJudged: boolean;
}

interface AttemptState {
  turns: number;
  /** What the latest verdict that is no opinion said; null where there is none. */
  passed: boolean | null;
}

export function openRunBook(run: RunId): RunBook {
  const items = new Set<ItemId>();
  const attempts = new Map<AttemptId, AttemptState>();
  const attemptsOf = new Map<ItemId, number>();
  const keys = new Map<string, string>();
  const conversations = openConversations();
  let failures = 0;

  function stateOf(attempt: AttemptId): AttemptState {
    const state = attempts.get(attempt) ?? { turns: 0, passed: null };
    attempts.set(attempt, state);
    const { item, n } = attemptParts(attempt);
    attemptsOf.set(item, Math.max(n, attemptsOf.get(item) ?? 0));
    return state;
  }

  /** With and without the item: a later call may name it or not. */
  function note(attempt: AttemptId, role: string, said: readonly string[]): void {
    for (const item of [attemptParts(attempt).item, null]) conversations.note(scopeText({ item, role }), said, attempt);
  }

  return {
    items,
    get failures() {
      return failures;
    },
    take(event) {
      if (event.type === "items_scanned") for (const { item } of event.data.items) items.add(item);
      else if (event.type === "failure") failures++;
      else if (event.type === "message") keys.set(event.data.hash, keyOf(event.data.message));
      else if (event.type === "verdict" && event.data.verdict.signalType !== "judgment") {
        stateOf(event.data.attempt).passed = event.data.verdict.passed;
      } else if (event.type === "turn") {
        const { attempt, role, turn, messages, response } = event.data;
        const state = stateOf(attempt);
        state.turns = Math.max(state.turns, Number(turn.slice(turnId(attempt, 0).length - 1)));
        const said = [...messages, ...(response === null ? [] : [response])].map((hash) => keys.get(hash) ?? hash);
        note(attempt, role, said);
      }
    },
    noteMessage: (hash, key) => keys.set(hash, key),
    continued: (scope, said) => conversations.continued(scopeText(scope), said),
    noteSent: note,
    knows: (attempt) => attempts.has(attempt),
    nextAttempt(item) {
      const attempt = attemptId(run, item, (attemptsOf.get(item) ?? 0) + 1);
      stateOf(attempt);
      return attempt;
    },
    nextTurn: (attempt) => ++stateOf(attempt).turns,
    summary: () => summaryOf(items, attempts),
  };
}

function summaryOf(items: Iterable<ItemId>, attempts: Iterable<[AttemptId, AttemptState]>): ItemSummary[] {
  const counts = new Map([...items].map((item) => [item, { item, attempts: 0, passed: 0, isJudged: false }]));
  for (const [attempt, { passed }] of attempts) {
    const count = counts.get(attemptParts(attempt).item);
    if (count === undefined) continue;
    count.attempts++;
    if (passed === true) count.passed++;
    if (passed !== null) count.isJudged = true;
  }
  return [...counts.values()];
}

function scopeText({ item, role }: Scope): string {
  return `${item ?? ""} ${role}`;
}
