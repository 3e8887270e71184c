/**
 * One attempt at one item: plan, prompt, answer, action, verdict, review, lesson.
 *
 * The deciding verdict is the last event of an attempt: an attempt that has one is whole, and one that has none is done
 * again under its number when the run is resumed. Where its answer is in the log already the model is not asked twice;
 * the action is done again, because its workspace is gone.
 */
import { performance } from "node:perf_hooks";
import { Failure } from "../foundation/errors.ts";
import type { ActionCall } from "../records/events.ts";
import { type AttemptId, attemptId, attemptParts } from "../records/ids.ts";
import type { Verdict } from "../records/verdict.ts";
import { atBoundary } from "../skills/at-boundary.ts";
import type { ActionResult, Workspace } from "../skills/contract.ts";
import { isDeferrable, verified } from "../skills/verified.ts";
import type { Architect } from "./architect.ts";
import { review } from "./auditor.ts";
import type { Bench } from "./bench.ts";
import { flagSuspects, suspect } from "./live-state.ts";
import { reflect } from "./reflector.ts";
import { type Answered, type AttemptStart, type Deferred, type ItemWork, noteTried } from "./run-state.ts";
import type { Stay } from "./site.ts";
import { askWorker } from "./worker.ts";

/**
 * `lost`: the endpoint gave no answer or the run was stopped, and resuming tries again. `failed`: something else than
 * the agent went wrong and was recorded; the run goes on without it. `broken`: the environment could not be brought
 * back; resuming tries again. `ended`: the architect gave the item up before anything was tried.
 */
export type Outcome = "passed" | "not-passed" | "deferred" | "lost" | "failed" | "broken" | "ended";

/** What an attempt did and what is said of it. */
interface Judged {
  call: ActionCall | null;
  result: ActionResult | null;
  verdict: Verdict;
}

/** Makes attempt `n` at an item and logs all of it. */
export async function makeAttempt(
  bench: Bench,
  work: ItemWork,
  { n, start, architect }: { n: number; start: AttemptStart; architect: Architect },
): Promise<Outcome> {
  const attempt = attemptId(bench.log.run, work.item.item, n);
  try {
    const turns = turnCounter(start.turns);
    if (start.answered === null && !(await planned(work, architect, { attempt, turnNumber: turns.peek() }, turns)))
      return "ended";
    const stay = await bench.site.enter(work.item);
    try {
      const answered = start.answered ?? (await askWorker(bench, work, { attempt, n, turnNumber: turns.next() }));
      const judged = await judge(bench, work, { attempt, stay, answered });
      return await conclude(bench, work, { attempt, n, stay, judged, turns });
    } finally {
      await stay.leave().catch((error) => recordFailure(bench, attempt, error));
    }
  } catch (error) {
    return outcomeOf(bench, attempt, error);
  }
}

/**
 * Records what went wrong around an attempt and says what that makes of it.
 * Throws: what is no failure of anything around it.
 */
export function outcomeOf(bench: Bench, attempt: AttemptId, error: unknown): Outcome {
  if (isLost(error, bench.signal)) return "lost"; // the client recorded it
  if (!(error instanceof Failure)) throw error;
  if (error.boundary === "endpoint") return "failed"; // this too
  recordFailure(bench, attempt, error);
  if (error.boundary !== "environment") return "failed";
  flagSuspects(bench.log, bench.live);
  return "broken";
}

/** Lets the architect look at the item; false where it ended the work on it. */
async function planned(
  work: ItemWork,
  architect: Architect,
  at: { attempt: AttemptId; turnNumber: number },
  turns: TurnCounter,
): Promise<boolean> {
  const decision = await architect.replan(work, at);
  if (decision === null) return true;
  turns.next();
  work.plan = decision.plan;
  work.plannedAfter = work.history.at(-1)?.n ?? 0;
  if (decision.choice === "skip") work.isSkipped = true;
  if (decision.choice === "skip" || decision.choice === "escalate") work.endReason = "architect";
  return work.endReason === null;
}

async function judge(
  bench: Bench,
  work: ItemWork,
  { attempt, stay, answered }: { attempt: AttemptId; stay: Stay; answered: Answered },
): Promise<Judged> {
  const { log, skill } = bench;
  const parsed = await atBoundary("workspace", () => skill.parse(answered.answer, work.item));
  const call = "call" in parsed ? parsed.call : null;
  let result: ActionResult | null = null;
  if (call !== null) {
    const startMs = performance.now();
    result = await atBoundary("workspace", () => stay.workspace.act(call));
    const durationMs = Math.round(performance.now() - startMs);
    const { exitCode, stdout, stderr } = result;
    log.append({ type: "action", data: { attempt, turn: answered.turn, call, exitCode, stdout, stderr, durationMs } });
  }
  const verdict = await verified(stay.workspace, call, parsed);
  if (stay.defers || !isDeferrable(skill, verdict)) return { call, result, verdict };
  await atBoundary("workspace", async () => stay.workspace.settle?.());
  return { call, result, verdict: await verified(stay.workspace, call, parsed) };
}

/** Lets the other roles look, keeps what is to be kept, and writes the deciding verdict last. */
async function conclude(
  bench: Bench,
  work: ItemWork,
  { n, stay, ...ending }: Ending & { n: number; stay: Stay },
): Promise<Outcome> {
  const { attempt, judged, turns } = ending;
  const { call, result } = judged;
  let { verdict } = judged;
  let isDeferred = stay.defers && isDeferrable(bench.skill, verdict);
  if (!isDeferred) await regard(bench, work, ending);
  if ((verdict.passed || isDeferred) && !(await kept(bench, attempt, stay))) {
    verdict = suspect(verdict);
    isDeferred = false;
  }
  bench.log.append({ type: "verdict", data: { attempt, verdict } });
  if (!verdict.passed) noteTried(work.history, { n, call, verdict });
  if (isDeferred && call !== null && result !== null) work.deferred = { attempt, call, result, turns: turns.written() };
  return work.deferred !== null ? "deferred" : verdict.passed ? "passed" : "not-passed";
}

/** Verifies a deferred attempt in a workspace that was settled: the verdict that comes now is the whole one. */
export async function concludeDeferred(
  bench: Bench,
  work: ItemWork,
  { attempt, call, result, turns, workspace }: Deferred & { workspace: Workspace },
): Promise<void> {
  const verdict = await verified(workspace, call, { call });
  await regard(bench, work, { attempt, judged: { call, result, verdict }, turns: turnCounter(turns) });
  bench.log.append({ type: "verdict", data: { attempt, verdict } });
  const { n } = attemptParts(attempt);
  if (!verdict.passed) noteTried(work.history, { n, call, verdict });
  else {
    work.passed++;
    if (n === 1) work.isFirstTryPassed = true;
  }
}

interface Ending {
  attempt: AttemptId;
  judged: Judged;
  turns: TurnCounter;
}

/** The auditor looks at what passed, the reflector learns from it. */
async function regard(bench: Bench, work: ItemWork, { attempt, judged, turns }: Ending): Promise<void> {
  const { call, result, verdict } = judged;
  if (bench.auditor !== null && verdict.passed && call !== null && result !== null) {
    const opinion = await review(bench, { item: work.item, call, result }, { attempt, turnNumber: turns.next() });
    if (opinion !== null) bench.log.append({ type: "verdict", data: { attempt, verdict: opinion } });
  }
  await reflect(bench, { work, call, result, verdict }, { attempt, turnNumber: turns.next() });
}

/** Keeps the workspace's state; false where the environment is not sound: the state of before stays, and all since is suspect. */
async function kept(bench: Bench, attempt: AttemptId, stay: Stay): Promise<boolean> {
  try {
    const name = await stay.keep();
    if (name !== null) bench.log.append({ type: "checkpoint", data: { attempt, name } });
    return true;
  } catch (error) {
    recordFailure(bench, attempt, error);
    flagSuspects(bench.log, bench.live);
    return false;
  }
}

interface TurnCounter {
  /** The number of the next turn, without taking it. */
  peek(): number;
  next(): number;
  written(): number;
}

function turnCounter(written: number): TurnCounter {
  let count = written;
  return { peek: () => count + 1, next: () => ++count, written: () => count };
}

function recordFailure({ log }: Bench, attempt: AttemptId, error: unknown): void {
  if (!(error instanceof Failure)) throw error;
  const { boundary, code, message } = error;
  log.append({ type: "failure", data: { boundary, code, message: message.toWellFormed(), attempt } });
}

/** Whether the endpoint gave no answer, or the run was stopped: another try may get one. */
export function isLost(error: unknown, signal: AbortSignal): boolean {
  if (isInterruption(error, signal)) return true;
  return error instanceof Failure && error.boundary === "endpoint" && error.code !== "CALL_REJECTED";
}

function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}
