/**
 * What a run of another program holds so far, folded from its events: its items, how far each attempt has come, and what
 * was said of it.
 */
import type { Hash } from "../foundation/hashing.ts";
import { isPassing } from "../foundation/passing-status.ts";
import type { RunEvent } from "../records/events.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId, turnId } from "../records/ids.ts";
import { isDeciding, isDeterministic, type Verdict } from "../records/verdict.ts";
import { COMMAND_VERIFIER } from "./verify-command.ts";

export interface RunCounts {
  readonly items: ReadonlySet<ItemId>;
  /** How often something went wrong. */
  readonly failures: number;
  take(event: RunEvent): void;
  knows(attempt: AttemptId): boolean;
  attempts(): AttemptId[];
  /** Whether a check's verdict was given and holds: one by the user's command is of the attempt as it was then. */
  isJudged(attempt: AttemptId): boolean;
  /** The attempt that comes next at an item. */
  nextAttempt(item: ItemId): AttemptId;
  /** Takes the number of an attempt's next turn. */
  nextTurn(attempt: AttemptId): number;
  turnsOf(attempt: AttemptId): number;
  /** The message that an attempt's worker, or where it has none anyone in it, was answered last; null where no call of theirs was answered. */
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

interface AttemptState extends CallCounts {
  answer: Hash | null;
  /** Whether a worker takes part: then what others say is not what is judged. */
  isWorkers: boolean;
  /** The one that decides; null where none holds. */
  verdict: Verdict | null;
}

/** Opens the counts of a run; its events are to be taken from the first on. */
export function openRunCounts(run: RunId): RunCounts {
  const items = new Set<ItemId>();
  const attempts = new Map<AttemptId, AttemptState>();
  const attemptsOf = new Map<ItemId, number>();
  let failures = 0;

  function stateOf(attempt: AttemptId): AttemptState {
    const known = attempts.get(attempt);
    if (known !== undefined) return known;
    const state = { turns: 0, failed: 0, rejected: 0, answer: null, isWorkers: false, verdict: null };
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
        // Its evidence may be long, and there may be many attempts.
        if (isDeciding(data.verdict, state.verdict)) state.verdict = { ...data.verdict, evidence: {} };
      } else if (type === "action" || type === "agent_ended") stateOf(data.attempt);
      else if (type === "turn") {
        const state = stateOf(data.attempt);
        if (state.verdict?.verifier.id === COMMAND_VERIFIER) state.verdict = null;
        const isWorkers = data.role === "worker";
        if (isWorkers && !state.isWorkers) Object.assign(state, { isWorkers, answer: null });
        if (data.response === null) state.failed++;
        else if (isWorkers === state.isWorkers) state.answer = data.response;
        if (data.response === null && isRejection(data.wire?.status ?? null)) state.rejected++;
        state.turns = Math.max(state.turns, Number(data.turn.slice(turnId(data.attempt, 0).length - 1)));
      }
    },
    knows: (attempt) => attempts.has(attempt),
    attempts: () => [...attempts.keys()],
    isJudged: (attempt) => isJudged(attempts.get(attempt)),
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

/** What the deciding verdict says; null where none holds, or where verdicts contradict each other. */
function passedOf(state: AttemptState | undefined): boolean | null {
  const verdict = state?.verdict ?? null;
  return verdict === null || verdict.flags.includes("conflict") ? null : verdict.passed;
}

function isJudged(state: AttemptState | undefined): boolean {
  return passedOf(state) !== null && isDeterministic(state?.verdict as Verdict);
}

function isRejection(status: number | null): boolean {
  return status !== null && status >= 400 && !isPassing(status);
}

function triesOf(states: (AttemptState | undefined)[]): TryCounts {
  const verdicts = states.map(passedOf);
  return {
    judged: verdicts.filter((passed) => passed !== null).length,
    passed: verdicts.filter((passed) => passed === true).length,
    unanswered: states.filter((state) => state !== undefined && state.turns > 0 && state.failed === state.turns).length,
  };
}

function summaryOf(items: Iterable<ItemId>, attempts: Iterable<[AttemptId, AttemptState]>): ItemSummary[] {
  const counts = new Map([...items].map((item) => [item, { item, attempts: 0, passed: 0, isJudged: false }]));
  for (const [attempt, state] of attempts) {
    const count = counts.get(attemptParts(attempt).item);
    if (count === undefined) continue;
    count.attempts++;
    const passed = passedOf(state);
    if (passed === true) count.passed++;
    if (passed !== null) count.isJudged = true;
  }
  return [...counts.values()];
}
