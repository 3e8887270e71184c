/**
 * What a run of another program holds so far, folded from its events: its items, how far each attempt has come, and what
 * was said of it.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { RunEvent } from "../records/events.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId, turnId } from "../records/ids.ts";
import { COMMAND_VERIFIER } from "./verify-command.ts";

export interface RunCounts {
  readonly items: ReadonlySet<ItemId>;
  /** How often something went wrong. */
  readonly failures: number;
  take(event: RunEvent): void;
  knows(attempt: AttemptId): boolean;
  attempts(): AttemptId[];
  /** Whether a verdict that is no opinion was given and holds: one by the user's command is of the attempt as it was then. */
  isJudged(attempt: AttemptId): boolean;
  /** The attempt that comes next at an item. */
  nextAttempt(item: ItemId): AttemptId;
  /** Takes the number of an attempt's next turn. */
  nextTurn(attempt: AttemptId): number;
  turnsOf(attempt: AttemptId): number;
  /** The message that an attempt was answered last; null where no call of it was answered. */
  lastAnswer(attempt: AttemptId): Hash | null;
  /** Its calls, those of them that got no answer, and those of these that the server refused for what they asked. */
  callsOf(attempt: AttemptId): CallCounts;
  /** The attempts at an item that were judged, that passed, and of which no call got an answer. */
  triesAt(item: ItemId): TryCounts;
  summary(): ItemSummary[];
}

export interface CallCounts {
  turns: number;
  failed: number;
  rejected: number;
}

export interface TryCounts {
  judged: number;
  passed: number;
  unanswered: number;
}

export interface ItemSummary {
  item: ItemId;
  attempts: number;
  passed: number;
  isJudged: boolean;
}

/** Statuses by which a server says that the same call may be answered later. */
const LATER = [408, 425, 429];

interface AttemptState extends CallCounts {
  answer: Hash | null;
  /** What the latest verdict that is no opinion said; null where none holds, or where verdicts contradict each other. */
  passed: boolean | null;
  /** Whether the user's command said so. */
  isByCommand: boolean;
}

export function openRunCounts(run: RunId): RunCounts {
  const items = new Set<ItemId>();
  const attempts = new Map<AttemptId, AttemptState>();
  const attemptsOf = new Map<ItemId, number>();
  let failures = 0;

  function stateOf(attempt: AttemptId): AttemptState {
    const known = attempts.get(attempt);
    if (known !== undefined) return known;
    const state = { turns: 0, failed: 0, rejected: 0, answer: null, passed: null, isByCommand: false };
    attempts.set(attempt, state);
    const { item, n } = attemptParts(attempt);
    attemptsOf.set(item, Math.max(n, attemptsOf.get(item) ?? 0));
    return state;
  }

  return {
    items,
    get failures() {
      return failures;
    },
    take({ type, data }) {
      if (type === "items_scanned") for (const { item } of data.items) items.add(item);
      else if (type === "failure") failures++;
      else if (type === "verdict") {
        const state = stateOf(data.attempt);
        const { passed, flags, signalType, verifier } = data.verdict;
        if (signalType === "judgment") return;
        state.passed = flags.includes("conflict") ? null : passed;
        state.isByCommand = verifier.id === COMMAND_VERIFIER;
      } else if (type === "action" || type === "agent_ended") stateOf(data.attempt);
      else if (type === "turn") {
        const state = stateOf(data.attempt);
        if (state.isByCommand) state.passed = null;
        if (data.response === null) state.failed++;
        else state.answer = data.response;
        if (data.response === null && isRejection(data.wire?.status ?? null)) state.rejected++;
        state.turns = Math.max(state.turns, Number(data.turn.slice(turnId(data.attempt, 0).length - 1)));
      }
    },
    knows: (attempt) => attempts.has(attempt),
    attempts: () => [...attempts.keys()],
    isJudged: (attempt) => (attempts.get(attempt)?.passed ?? null) !== null,
    nextAttempt(item) {
      const attempt = attemptId(run, item, (attemptsOf.get(item) ?? 0) + 1);
      stateOf(attempt);
      return attempt;
    },
    nextTurn: (attempt) => ++stateOf(attempt).turns,
    lastAnswer: (attempt) => attempts.get(attempt)?.answer ?? null,
    turnsOf: (attempt) => attempts.get(attempt)?.turns ?? 0,
    callsOf: (attempt) => attempts.get(attempt) ?? { turns: 0, failed: 0, rejected: 0 },
    triesAt: (item) => triesOf(numbersTo(attemptsOf.get(item)).map((n) => attempts.get(attemptId(run, item, n)))),
    summary: () => summaryOf(items, attempts),
  };
}

function numbersTo(last = 0): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

function isRejection(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && !LATER.includes(status);
}

function triesOf(states: (AttemptState | undefined)[]): TryCounts {
  const verdicts = states.map((state) => state?.passed ?? null);
  return {
    judged: verdicts.filter((passed) => passed !== null).length,
    passed: verdicts.filter((passed) => passed === true).length,
    unanswered: states.filter((state) => state !== undefined && state.turns > 0 && state.failed === state.turns).length,
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
