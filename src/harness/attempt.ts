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
import { type AttemptId, attemptId } from "../records/ids.ts";
import { type Verdict, verdictSchema } from "../records/verdict.ts";
import type { ActionResult, ParsedAnswer, Workspace } from "../skills/contract.ts";
import type { Architect } from "./architect.ts";
import { review } from "./auditor.ts";
import type { Bench } from "./bench.ts";
import { reflect } from "./reflector.ts";
import type { Answered, AttemptStart, ItemWork } from "./run-state.ts";
import { atBoundary, type Stay } from "./site.ts";
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

function outcomeOf(bench: Bench, attempt: AttemptId, error: unknown): Outcome {
  if (isInterruption(error, bench.signal)) return "lost";
  if (!(error instanceof Failure)) throw error;
  if (error.boundary === "endpoint") return error.code === "CALL_REJECTED" ? "failed" : "lost"; // the client recorded it
  recordFailure(bench, attempt, error);
  return error.boundary === "environment" ? "broken" : "failed";
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
  if (stay.defers || !isDeferrable(bench, verdict)) return { call, result, verdict };
  await atBoundary("workspace", async () => stay.workspace.settle?.());
  return { call, result, verdict: await verified(stay.workspace, call, parsed) };
}

/** Asks a workspace for its verdict and checks its shape. */
export async function verified(workspace: Workspace, call: ActionCall | null, parsed: ParsedAnswer): Promise<Verdict> {
  return atBoundary("workspace", async () => verdictSchema.parse(await workspace.verify(call, parsed)));
}

/** Keeps what is to be kept, lets the other roles look, and writes the deciding verdict last. */
async function conclude(
  bench: Bench,
  work: ItemWork,
  {
    attempt,
    n,
    stay,
    judged,
    turns,
  }: { attempt: AttemptId; n: number; stay: Stay; judged: Judged; turns: TurnCounter },
): Promise<Outcome> {
  const { log } = bench;
  const { call, result, verdict } = judged;
  const isDeferred = call !== null && stay.defers && isDeferrable(bench, verdict);
  if (verdict.passed && call !== null && result !== null) {
    const opinion = await review(bench, { item: work.item, call, result }, { attempt, turnNumber: turns.peek() });
    if (bench.auditor !== null) turns.next();
    if (opinion !== null) log.append({ type: "verdict", data: { attempt, verdict: opinion } });
  }
  if (!isDeferred) await reflect(bench, { work, call, result, verdict }, { attempt, turnNumber: turns.peek() });
  if (verdict.passed || isDeferred) {
    const name = await stay.keep();
    if (name !== null) log.append({ type: "checkpoint", data: { attempt, name } });
  }
  log.append({ type: "verdict", data: { attempt, verdict } });
  if (!verdict.passed) work.history.push({ n, call, verdict });
  if (isDeferred) work.deferred = { attempt, call };
  return isDeferred ? "deferred" : verdict.passed ? "passed" : "not-passed";
}

function isDeferrable({ skill }: Bench, { failureMode }: Verdict): boolean {
  return failureMode !== null && (skill.manifest.deferrableFailureModes ?? []).includes(failureMode);
}

interface TurnCounter {
  /** The number of the next turn, without taking it. */
  peek(): number;
  next(): number;
}

function turnCounter(written: number): TurnCounter {
  let count = written;
  return { peek: () => count + 1, next: () => ++count };
}

function recordFailure({ log }: Bench, attempt: AttemptId, error: unknown): void {
  if (!(error instanceof Failure)) throw error;
  const { boundary, code, message } = error;
  log.append({ type: "failure", data: { boundary, code, message: message.toWellFormed(), attempt } });
}

function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}
