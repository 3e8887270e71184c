/**
 * The main path of a run: check, open the log, make the attempts that are missing, finish and seal.
 *
 * A run that is stopped (Ctrl-C, an endpoint that went away, a crash) stays unsealed; resuming it reads from its own
 * log what is done and goes on with the same items. What is done is known from that log alone.
 */
import { assert, Refusal } from "../foundation/errors.ts";
import { attemptId, type RunId } from "../records/ids.ts";
import { type RunLog, sealRun } from "../store/run-log.ts";
import { type Bench, makeAttempt, type Outcome } from "./attempt.ts";
import { checkEndpoint, type Endpoint } from "./endpoint.ts";
import type { HarnessOptions, RunProgress, RunResult } from "./harness-options.ts";
import { checkMemory, openMemory } from "./memory.ts";
import { modelClient, PATIENCE } from "./model-client.ts";
import { type OpenRun, openRun } from "./open-run.ts";
import type { ArchitectRule, ReflectorRule } from "./role.ts";
import { loadRule } from "./rules.ts";
import { type ItemWork, workLeft } from "./run-state.ts";
import { schedule } from "./schedule.ts";
import type { TipIndex } from "./tip-index.ts";

/** Calls given up one after another from which on the endpoint counts as gone. */
const OUTAGE_CALLS = 3;
const TIPS_PER_PROMPT = 3;

interface Cast {
  worker: Endpoint;
  architect: ArchitectRule;
  /** Null where the run writes no tips. */
  reflector: ReflectorRule | null;
}

/**
 * Runs a skill's items through the loop and seals the log, or leaves it resumable where it was stopped.
 * Throws: before any log is made `MEMORY_MUST_BE_FROZEN`, `UNKNOWN_<ROLE>_RULE`, `ENDPOINT_DOWN`,
 * `UNKNOWN_MODEL`; on resuming `RESUME_DIFFERS`, `RUN_EMPTY` and what the log itself refuses.
 */
export async function runHarness(options: HarnessOptions): Promise<RunResult> {
  checkMemory(options.memory, options.split, options.tipRuns);
  checkItems(options);
  const cast = await castRoles(options);
  await checkEndpoint(cast.worker, options.signal);
  const memory = await recallable(options);
  const { run, log, state, starts } = await openRun(options);
  for (const tip of state.tips) memory?.add(tip);
  const work = workLeft(run, options.items, { state, attempts: options.attempts });
  let isOutage = false;
  if (log !== null) {
    try {
      isOutage = await makeAttempts({ options, cast, memory, log, starts, work });
      if (isAllFinished(work)) finishRun(log, work);
    } finally {
      log.close();
    }
  }
  const isComplete = log === null || isAllFinished(work);
  const { done: _, total: __, ...counts } = progressOf(options, { run, memory, work });
  return {
    ...counts,
    head: isComplete ? await sealRun(options.home, run, options.clock) : log.head,
    items: work.length,
    failures: failuresOf(work),
    isComplete,
    stoppedBy: isComplete ? null : options.signal.aborted ? "interruption" : isOutage ? "outage" : "lost-calls",
  };
}

/** Makes what is left and says whether it ended by an outage of the endpoint. */
async function makeAttempts(run: {
  options: HarnessOptions;
  cast: Cast;
  memory: TipIndex | null;
  log: RunLog;
  starts: OpenRun["starts"];
  work: ItemWork[];
}): Promise<boolean> {
  const { options, cast, memory, log, starts, work } = run;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const bench = benchOf(options, cast, { memory, log, signal });
  let lostInARow = 0;
  const report = () => options.onProgress?.(progressOf(options, { run: log.run, memory, work }));
  await options.onOpen?.(log.run);
  for (const item of work) finishIfDone(log, item, options.enough);
  report();
  await schedule({
    work,
    architect: cast.architect,
    concurrency: options.concurrency,
    isStopped: () => signal.aborted,
    async attempt(item, n) {
      const start = starts.get(attemptId(log.run, item.item.item, n)) ?? { turns: 0, answered: null };
      try {
        const outcome = await makeAttempt(bench, item.item, { n, start });
        count(item, outcome);
        lostInARow = outcome === "lost" ? lostInARow + 1 : 0;
        if (lostInARow >= OUTAGE_CALLS) stop.abort();
        finishIfDone(log, item, options.enough);
      } catch (error) {
        stop.abort(); // a bug or a full disk: the attempts beside it end at their next step
        throw error;
      }
      report();
    },
  });
  return lostInARow >= OUTAGE_CALLS;
}

function benchOf(
  options: HarnessOptions,
  { worker, reflector }: Cast,
  { memory, log, signal }: { memory: TipIndex | null; log: RunLog; signal: AbortSignal },
): Bench {
  const { skill, seed, sampling, tipsPerPrompt = TIPS_PER_PROMPT, patience = PATIENCE } = options;
  const client = modelClient(log, patience, signal);
  const workspaces = options.home.workspaceFolder(log.run);
  return { skill, worker, reflector, client, log, memory, tipsPerPrompt, seed, sampling, workspaces, signal };
}

async function recallable({ home, skill, memory, tipRuns }: HarnessOptions): Promise<TipIndex | null> {
  return memory === "none" ? null : openMemory(home, skill.manifest.id, tipRuns);
}

function count(item: ItemWork, outcome: Outcome): void {
  item.tried++;
  if (outcome === "passed") item.passed++;
  if (outcome === "lost") item.lost++;
  if (outcome === "failed") item.failed++;
}

/** Gives an item its end state once it has passed often enough, or all its attempts are made and none is lost. */
function finishIfDone(log: RunLog, item: ItemWork, enough = Number.POSITIVE_INFINITY): void {
  const isDone = item.passed >= enough || (item.left.length === 0 && item.lost === 0);
  if (item.isFinished || !isDone) return;
  const attempts = judged(item);
  const state = item.passed > 0 ? "solved" : attempts > 0 ? "unsolved" : "failed";
  log.append({ type: "item_finished", data: { item: item.item.item, state, attempts, passed: item.passed } });
  item.isFinished = true;
}

function finishRun(log: RunLog, work: readonly ItemWork[]): void {
  const attempts = sum(work, judged);
  const passed = sum(work, (item) => item.passed);
  log.append({ type: "run_finished", data: { items: work.length, attempts, passed, failures: failuresOf(work) } });
}

function progressOf(
  { attempts: each }: HarnessOptions,
  { run, memory, work }: { run: RunId; memory: TipIndex | null; work: readonly ItemWork[] },
): RunProgress {
  return {
    run,
    done: sum(work, (item) => (item.isFinished ? each : item.tried)),
    total: work.length * each,
    attempts: sum(work, judged),
    passed: sum(work, (item) => item.passed),
    solved: work.filter((item) => item.passed > 0).length,
    tips: memory?.size ?? 0,
  };
}

function isAllFinished(work: readonly ItemWork[]): boolean {
  return work.every((item) => item.isFinished);
}

function judged(item: ItemWork): number {
  return item.tried - item.lost - item.failed;
}

function failuresOf(work: readonly ItemWork[]): number {
  return sum(work, (item) => item.lost + item.failed);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

async function castRoles({ roles, memory }: HarnessOptions): Promise<Cast> {
  const { worker, architect = { rule: "scan-order" }, reflector = { rule: "none" }, auditor } = roles;
  if (worker === undefined || "rule" in worker) throw wrongPlayer("worker", "a model");
  if (!("rule" in architect)) throw wrongPlayer("architect", "a rule");
  if (!("rule" in reflector)) throw wrongPlayer("reflector", "a rule");
  if (auditor !== undefined) throw wrongPlayer("auditor", "nobody");
  const architectRule = await loadRule("architect", architect.rule);
  const reflectorRule = await loadRule("reflector", reflector.rule);
  return { worker, architect: architectRule, reflector: memory === "grow" ? reflectorRule : null };
}

function wrongPlayer(role: string, player: string): Refusal {
  return new Refusal({
    code: "WRONG_PLAYER",
    message: `The ${role} is played by ${player}.`,
    expected: `${role}: ${player}`,
    fix: "--role worker=model --role architect=scan-order --role reflector=keep-solution",
  });
}

/** What `scanItems` promises, and a log relies on: attempt ids are made of item ids. */
function checkItems({ items, split }: HarnessOptions): void {
  assert(items.length > 0, "a run without items");
  assert(
    items.every((item) => item.split === split),
    `items that are not all of the ${split} split`,
  );
  assert(new Set(items.map(({ item }) => item)).size === items.length, "an item that comes twice");
}
