/**
 * One attempt at one item: prompt, answer, action, verdict, lesson.
 *
 * The verdict is the last event of an attempt: an attempt that has one is whole, and one that has none is done again
 * under its number when the run is resumed. Where its answer is in the log already the model is not asked twice; the
 * action is done again, because its workspace is gone.
 */
import { performance } from "node:perf_hooks";
import { Failure } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import type { ActionCall, Sampling } from "../records/events.ts";
import { type AttemptId, attemptId, type TurnId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Message } from "../records/message.ts";
import { type Verdict, verdictSchema } from "../records/verdict.ts";
import type { ParsedAnswer, Skill, Workspace } from "../skills/contract.ts";
import type { RunLog } from "../store/run-log.ts";
import type { Endpoint } from "./endpoint.ts";
import { recall } from "./memory.ts";
import type { ModelClient } from "./model-client.ts";
import { withTips } from "./prompt.ts";
import type { ReflectorRule } from "./role.ts";
import type { TipIndex } from "./tip-index.ts";
import { tipOf } from "./tips.ts";

/** What every attempt of a run shares. */
export interface Bench {
  skill: Skill;
  worker: Endpoint;
  /** Null where the run writes no tips. */
  reflector: ReflectorRule | null;
  client: ModelClient;
  log: RunLog;
  /** Null where no tips are rendered. */
  memory: TipIndex | null;
  tipsPerPrompt: number;
  seed: number;
  sampling: Sampling;
  /** Where workspaces keep their files. */
  workspaces: string;
  signal: AbortSignal;
}

/** What an earlier process left of an attempt: turns that were written, and the answer where one came. */
export interface AttemptStart {
  turns: number;
  answered: Answered | null;
}

interface Answered {
  turn: TurnId;
  answer: Message;
}

/**
 * `lost`: the endpoint gave no answer or the run was stopped, and resuming tries again. `failed`: something else than
 * the agent went wrong and was recorded; the run goes on without it.
 */
export type Outcome = "passed" | "not-passed" | "lost" | "failed";

/** Makes attempt `n` at an item and logs all of it. */
export async function makeAttempt(
  bench: Bench,
  item: Item,
  { n, start }: { n: number; start: AttemptStart },
): Promise<Outcome> {
  const attempt = attemptId(bench.log.run, item.item, n);
  try {
    const workspace = await workspaceBoundary(() => bench.skill.open(item, { folder: bench.workspaces, from: null }));
    try {
      const answered = start.answered ?? (await ask(bench, item, { attempt, n, turnNumber: start.turns + 1 }));
      return await judge(bench, item, { attempt, workspace, answered });
    } finally {
      await workspaceBoundary(() => workspace.close()).catch((error) => recordFailure(bench, attempt, error));
    }
  } catch (error) {
    if (isInterruption(error, bench.signal)) return "lost";
    if (!(error instanceof Failure)) throw error;
    if (error.boundary === "endpoint") return error.code === "CALL_REJECTED" ? "failed" : "lost"; // the client recorded it
    recordFailure(bench, attempt, error);
    return "failed";
  }
}

function recordFailure({ log }: Bench, attempt: AttemptId, { boundary, code, message }: Failure): void {
  log.append({ type: "failure", data: { boundary, code, message: message.toWellFormed(), attempt } });
}

function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}

async function ask(
  bench: Bench,
  item: Item,
  { attempt, n, turnNumber }: { attempt: AttemptId; n: number; turnNumber: number },
): Promise<Answered> {
  const prompt = await workspaceBoundary(() => bench.skill.prompt(item));
  const recalled =
    bench.memory === null ? { retrievals: [], tips: [] } : recall(bench.memory, item, bench.tipsPerPrompt);
  return bench.client.call({
    attempt,
    turnNumber,
    role: "worker",
    phase: "act",
    endpoint: bench.worker,
    tools: null,
    sampling: bench.sampling,
    seed: random(bench.seed, item.item, n, turnNumber).integer(0, 0x7fff_ffff),
    retrievals: recalled.retrievals,
    notice: (answer) => noticed(bench.skill, answer, item),
    ...withTips(prompt, recalled.tips),
  });
}

async function judge(
  bench: Bench,
  item: Item,
  { attempt, workspace, answered }: { attempt: AttemptId; workspace: Workspace; answered: Answered },
): Promise<Outcome> {
  const { log, skill } = bench;
  const parsed = await workspaceBoundary(() => skill.parse(answered.answer, item));
  const call = "call" in parsed ? parsed.call : null;
  if (call !== null) {
    const startMs = performance.now();
    const { exitCode, stdout, stderr } = await workspaceBoundary(() => workspace.act(call));
    const durationMs = Math.round(performance.now() - startMs);
    log.append({ type: "action", data: { attempt, turn: answered.turn, call, exitCode, stdout, stderr, durationMs } });
  }
  const verdict = await workspaceBoundary(async () => verdictSchema.parse(await workspace.verify(call, parsed)));
  await reflect(bench, item, { attempt, call, verdict });
  log.append({ type: "verdict", data: { attempt, verdict } });
  return verdict.passed ? "passed" : "not-passed";
}

/** Saves what the reflector learns; the next prompt may hold it. The same lesson of the same item is saved once a run. */
async function reflect(
  { reflector, memory, log, skill }: Bench,
  item: Item,
  { attempt, call, verdict }: { attempt: AttemptId; call: ActionCall | null; verdict: Verdict },
): Promise<void> {
  if (reflector === null || memory === null || item.split !== "train") return;
  const lesson = await workspaceBoundary(() => reflector.reflect({ skill, item, call, verdict }));
  if (lesson === null) return;
  const tip = tipOf(lesson, { run: log.run, item, attempt, skill });
  if (memory.has(tip.tip)) return;
  log.append({ type: "tip_saved", data: tip });
  memory.add(tip);
}

function noticed(skill: Skill, answer: Message, item: Item): string[] {
  try {
    const parsed: ParsedAnswer = skill.parse(answer, item);
    return "call" in parsed ? [] : ["no-action"];
  } catch {
    return ["parser-threw"]; // it throws again in `judge`, where it is recorded as a failure
  }
}

/** Attributes whatever a skill throws to its workspace, so that one bad item cannot end the run. */
async function workspaceBoundary<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Failure({ boundary: "workspace", code: "WORKSPACE_FAILED", message, cause });
  }
}
