/**
 * The main path of a run: check, open the log, make the attempts that are missing, finish and seal.
 *
 * A run that is stopped (Ctrl-C, an endpoint or an environment that went away, a crash) stays unsealed; resuming it reads
 * from its own log what is done and goes on with the same items. What is done is known from that log alone.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { sumOf } from "../foundation/sums.ts";
import { attemptId, type RunId } from "../records/ids.ts";
import type { RunLog } from "../store/run-log.ts";
import { sealRun } from "../store/runs.ts";
import { type Architect, modelArchitect, ruleArchitect } from "./architect.ts";
import { makeAttempt, type Outcome } from "./attempt.ts";
import type { Bench } from "./bench.ts";
import { type Cast, castRoles, endpointsOf } from "./cast.ts";
import type { Consolidation } from "./consolidate.ts";
import { checkEndpoint } from "./endpoint.ts";
import { endpointKey, endpointWatch, type Served } from "./endpoint-watch.ts";
import type { HarnessOptions, RunProgress, RunResult } from "./harness-options.ts";
import {
  countOutcome,
  failuresOf,
  finishIfDone,
  isAllFinished,
  judgedAttempts,
  leaveOpen,
  spendBudget,
} from "./item-end.ts";
import { type LiveState, watchedLog } from "./live-state.ts";
import { checkMemory, NO_STANDING, openMemory } from "./memory.ts";
import { modelClient, PATIENCE } from "./model-client.ts";
import { type OpenRun, openRun } from "./open-run.ts";
import { outagesInARow, pickDespite } from "./outages.ts";
import { loadPrompts, type Prompts } from "./prompts.ts";
import type { RetrievalMethod } from "./retrieval-method.ts";
import { finishRun } from "./run-end.ts";
import { type ItemWork, workLeft } from "./run-state.ts";
import { schedule } from "./schedule.ts";
import type { ServedModel } from "./served-models.ts";
import { settleDeferred } from "./settle.ts";
import { isolatedSite, progressSite } from "./site.ts";
import type { TipIndex } from "./tip-index.ts";
import { tipStanding } from "./tip-standing.ts";

const TIPS_PER_PROMPT = 3;
const METHODS_FOLDER = join(import.meta.dirname, "retrieval-methods");
const REPLAN_AFTER = 3;

/** What a run has at hand besides its options. */
interface Stage {
  options: HarnessOptions;
  cast: Cast;
  /** What the endpoints served when the run was opened. */
  served: Served;
  prompts: Prompts;
  memory: TipIndex | null;
  opened: OpenRun;
  log: RunLog;
  live: LiveState;
  work: ItemWork[];
}

type StoppedBy = "outage" | "environment" | null;

/**
 * Runs a skill's items through the loop and seals the log, or leaves it resumable where it was stopped.
 * Throws: before any log is made `MEMORY_MUST_BE_FROZEN`, `UNKNOWN_<ROLE>_RULE`, `WRONG_PLAYER`, `ENDPOINT_DOWN`,
 * `UNKNOWN_MODEL`, `ONE_WORKSPACE`, `NO_TOOLS` and what a prompt template refuses; on resuming `RESUME_DIFFERS`,
 * `RUN_EMPTY` and what the log itself refuses; then and later `SERVED_MODEL_CHANGED`, after which it can be resumed.
 */
export async function runHarness(given: HarnessOptions): Promise<RunResult> {
  checkMemory(given.memory, given.split, given.tipRuns);
  checkOptions(given);
  const { home, skill, tipRuns, resume } = given;
  const standing = given.standing ?? (await tipStanding(home, { skill: skill.manifest.id, tipRuns, resume }));
  const options = { ...given, standing };
  const cast = await castRoles(options);
  const prompts = loadPrompts(options.skillFolder ?? null);
  const served = await servedAt(cast, options.signal);
  const memory = await recallable(options);
  const opened = await openRun(options, served);
  const { run, log, state } = opened;
  const kinds = new Map(options.items.map(({ item, kind }) => [item, kind]));
  for (const tip of state.tips) if (!state.retiredTips.has(tip.tip)) memory?.add(tip, kinds.get(tip.source.item));
  const work = workLeft(run, options.items, { state, attempts: options.attempts });
  if (log === null) return resultOf(options, { run, memory, work, stoppedBy: null, head: null });
  const watched = watchedLog(log, { work, sinceKept: state.sinceKept, onItemFinished: options.onItemFinished });
  let stoppedBy: StoppedBy = null;
  let consolidation: Consolidation | undefined;
  try {
    stoppedBy = await makeAttempts({ options, cast, served, prompts, memory, opened, work, ...watched });
    if (isAllFinished(work)) consolidation = finishRun(log, work, options.memory === "grow" ? memory : null);
  } finally {
    log.close();
  }
  const end = { run, memory, work, stoppedBy, head: log.head, live: watched.live };
  return resultOf(options, { ...end, ...(consolidation && { consolidation }) });
}

async function servedAt(cast: Cast, signal: AbortSignal): Promise<Served> {
  const served = new Map<string, ServedModel | null>();
  for (const { endpoint, roles } of endpointsOf(cast)) {
    served.set(endpointKey(endpoint), await checkEndpoint(endpoint, roles, signal));
  }
  return served;
}

async function resultOf(
  options: HarnessOptions,
  end: {
    run: RunId;
    memory: TipIndex | null;
    work: ItemWork[];
    stoppedBy: StoppedBy;
    head: RunLog["head"] | null;
    live?: LiveState;
    consolidation?: Consolidation;
  },
): Promise<RunResult> {
  const { run, work, stoppedBy, head, consolidation } = end;
  const isComplete = head === null || isAllFinished(work);
  const { attempts, passed, solved, begunItems, firstTries, firstPasses, tips } = progressOf(options, end);
  if (isComplete) await rm(options.home.workspaceFolder(run), { recursive: true, force: true });
  return {
    run,
    ...{ attempts, passed, solved, begunItems, firstTries, firstPasses, tips },
    head: isComplete ? await sealRun(options.home, run, options.clock) : head,
    items: work.length,
    failures: failuresOf(work),
    merged: consolidation?.merges.length ?? 0,
    contradictions: consolidation?.contradictions ?? [],
    isComplete,
    stoppedBy: isComplete ? null : options.signal.aborted ? "interruption" : (stoppedBy ?? "lost-calls"),
  };
}

const NOTHING_SETTLED = { settled: 0, stoppedBy: null };

/** Makes what is left and says what ended it before its time. */
async function makeAttempts(stage: Stage): Promise<StoppedBy> {
  const { options, log, live, work, opened } = stage;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const bench = benchOf(stage, signal);
  const architect = architectOf(stage, bench);
  const row = outagesInARow(stop);
  const report = () => options.onProgress?.(progressOf(options, { run: log.run, memory: stage.memory, work, live }));

  let begun = sumOf(work, judgedAttempts);
  const isSpent = () => begun >= (options.mostAttempts ?? Number.POSITIVE_INFINITY) || options.isEnough?.() === true;
  const finishWhatIsDone = () => {
    for (const item of work) {
      if (isSpent() && !signal.aborted) leaveOpen(item);
      finishIfDone(log, item, options);
    }
  };

  async function attempt(item: ItemWork, n: number): Promise<void> {
    begun++;
    live.item = item.item.item;
    report();
    const start = opened.starts.get(attemptId(log.run, item.item.item, n)) ?? { turns: 0, answered: null };
    const leave = await options.turn?.();
    const outcome = await makeAttempt(bench, item, { n, start, architect }).finally(leave);
    countOutcome(item, outcome);
    if (n === 1) item.isFirstTryPassed = firstTryOf(outcome);
    spendBudget(item, options.itemBudget);
    finishIfDone(log, item, options);
    row.note(outcome);
  }

  const turns = {
    ...{ work, stays: architect.stays, concurrency: options.concurrency },
    isStopped: () => signal.aborted || isSpent(),
    pick: (open: Parameters<Architect["pick"]>[0]) => pickDespite(row, { architect, open, signal }),
    waits: (item: ItemWork, open: readonly ItemWork[]) => waits(options, item, open),
    attempt: (item: ItemWork, n: number) =>
      attempt(item, n).then(report, (error) => {
        stop.abort(); // a bug or a full disk: the attempts beside it end at their next step
        throw error;
      }),
  };

  await options.onOpen?.(log.run);
  for (const item of work) finishIfDone(log, item, options);
  report();
  try {
    for (let isSettled = false; !isSettled; ) {
      await schedule(turns);
      const { settled, stoppedBy } = signal.aborted ? NOTHING_SETTLED : await settleDeferred(bench, work);
      finishWhatIsDone();
      if (stoppedBy === "broken") return "environment";
      isSettled = settled === 0 || stoppedBy !== null;
    }
  } finally {
    await bench.site.close();
  }
  return row.isOutage() ? "outage" : work.some(({ broken }) => broken > 0) ? "environment" : null;
}

/** What went wrong around an attempt says nothing of it. */
function firstTryOf(outcome: Outcome): boolean | null {
  return outcome === "passed" || (outcome === "not-passed" || outcome === "deferred" ? false : null);
}

function waits({ skill }: HarnessOptions, { item }: ItemWork, open: readonly ItemWork[]): boolean {
  if (skill.waitsFor === undefined) return false;
  const others = open.map((other) => other.item).filter((other) => other.item !== item.item);
  return skill.waitsFor(item, others);
}

function benchOf({ options, cast, served, prompts, memory, log, live, opened }: Stage, signal: AbortSignal): Bench {
  const { skill, home, seed, sampling, mode = "isolated", patience = PATIENCE, callTurn } = options;
  const { tipsPerPrompt = TIPS_PER_PROMPT, tipDropout = 0, showsAttempts = false, hasNativeTools = false } = options;
  const { worker, auditor, reflector } = cast;
  const folder = home.workspaceFolder(log.run);
  return {
    ...{ skill, prompts, worker, auditor, reflector, log, live, memory, signal },
    ...{ tipsPerPrompt, tipDropout, showsAttempts, hasNativeTools, seed, sampling },
    client: modelClient(log, { patience, watch: endpointWatch(served, log.run, signal), turn: callTurn, signal }),
    site: mode === "isolated" ? isolatedSite(skill, folder) : progressSite(skill, folder, opened.state.kept),
  };
}

function architectOf({ cast, options, opened, work }: Stage, bench: Bench): Architect {
  const { architect } = cast;
  if (!("model" in architect)) return ruleArchitect(architect, work);
  const { selections } = opened.state;
  return modelArchitect(bench, architect.model, { work, selections, replanAfter: options.replanAfter ?? REPLAN_AFTER });
}

async function recallable({ home, skill, memory, tipRuns, retrieval, standing = NO_STANDING }: HarnessOptions) {
  if (memory === "none") return null;
  const method = await loadExtension<RetrievalMethod>(METHODS_FOLDER, "retrieval", retrieval ?? "bm25");
  return openMemory(home, skill.manifest.id, { tipRuns, standing, similarity: method.open() });
}

function progressOf(
  { attempts: each, mostAttempts = Number.POSITIVE_INFINITY }: HarnessOptions,
  { run, memory, work, live }: { run: RunId; memory: TipIndex | null; work: readonly ItemWork[]; live?: LiveState },
): RunProgress {
  const isBounded = mostAttempts < work.length * each;
  return {
    run,
    done: isBounded ? sumOf(work, ({ tried }) => tried) : sumOf(work, (item) => (item.isFinished ? each : item.tried)),
    total: isBounded ? mostAttempts : work.length * each,
    attempts: sumOf(work, judgedAttempts),
    passed: sumOf(work, (item) => item.passed),
    solved: work.filter((item) => item.passed > 0).length,
    firstTries: work.filter((item) => item.isFirstTryPassed !== null).length,
    firstPasses: work.filter((item) => item.isFirstTryPassed === true).length,
    items: work.length,
    begunItems: work.filter((item) => judgedAttempts(item) > 0).length,
    finishedItems: work.filter((item) => item.isFinished).length,
    completionTokens: live?.completionTokens ?? 0,
    item: live?.item ?? null,
    tips: memory?.size ?? 0,
  };
}

/** What `scanItems` promises, and a log relies on: attempt ids are made of item ids. */
function checkOptions({ items, split, mode, concurrency, skill, hasNativeTools }: HarnessOptions): void {
  assert(items.length > 0, "a run without items");
  assert(
    items.every((item) => item.split === split),
    `items that are not all of the ${split} split`,
  );
  assert(new Set(items.map(({ item }) => item)).size === items.length, "an item that comes twice");
  if (mode === "progress" && concurrency > 1) {
    throw new Refusal({
      code: "ONE_WORKSPACE",
      message: "In progress mode fixes accumulate in one workspace, where attempts follow each other.",
      expected: "concurrency 1",
      got: `concurrency ${concurrency}`,
      fix: "--concurrency 1, or --mode isolated",
    });
  }
  if (hasNativeTools && (skill.tools ?? []).length === 0) {
    throw new Refusal({
      code: "NO_TOOLS",
      message: `The skill "${skill.manifest.id}" offers no tools.`,
      expected: "a skill with tools",
      got: "native tool calls",
      fix: "leave --tool-calls out: the worker then acts by text",
    });
  }
}
