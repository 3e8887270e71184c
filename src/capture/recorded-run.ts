/**
 * A run that is recorded: begun at its first call, gone on with after a stop, sealed when it is said to be over. The
 * agent's own name for it is a label; the label of a sealed run begins a new one.
 */
import { existsSync } from "node:fs";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { sumOf } from "../foundation/sums.ts";
import type { EventData, LoggedEvent, RunEvent, RunStarted, Turn } from "../records/events.ts";
import { type RunId, runIdSchema } from "../records/ids.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import type { Home } from "../store/home.ts";
import { createRunLog, type RunLog, reopenRunLog } from "../store/run-log.ts";
import { listRuns, type RunSummary, readRunLog, sealRun } from "../store/runs.ts";
import { foreignStart } from "./foreign-item.ts";
import { openRunBook, type RunBook } from "./run-book.ts";
import type { RunCounts } from "./run-counts.ts";

export interface RecordingOptions {
  home: Home;
  skill: string;
  /** Where the families of the skill's name lie. */
  splits: SkillSplits;
  codeVersion: string;
  config: EventData<"run_started">["config"];
  clock: Clock;
  /** What is known of the run besides: its skill's version, its model, its split. */
  start?: Partial<RunStarted>;
  /** The model behind the proxy, where tracemill knows it. */
  answeredBy?: Pick<Turn, "baseHash" | "adapterHash">;
}

export interface RecordedRun {
  log: RunLog;
  book: RunBook;
  /** Appends to the log and takes it into the book. */
  append(event: RunEvent): void;
  lastAtMs: number;
  /** Calls whose answer is not there yet. */
  openCalls: number;
  /** Nothing may be appended any more: its log is being ended, or has been. */
  isOver: boolean;
}

export interface SealedRecording {
  run: RunId;
  items: number;
  attempts: number;
  passed: number;
  /** Items that nobody said an outcome of. */
  unjudged: number;
  /** Left out where there are none. */
  notVerified?: NotVerified;
}

/** Attempts that the verifier's command could not judge, and why not the first of them. */
export interface NotVerified {
  attempts: number;
  reason: string;
}

/** The run of a name: an id, or the label of a run that can be gone on with; null where there is none. */
export async function runNamed(options: RecordingOptions, name: string): Promise<RunId | null> {
  const id = runIdSchema.safeParse(name);
  return id.success ? id.data : runLabelled(options, name);
}

/**
 * The latest run of a label that is not over, of the same skill and before the same server; null where there is none. The run of
 * calls without a name has no label.
 */
export async function runLabelled(
  { home, skill, config }: RecordingOptions,
  label: string | null,
): Promise<RunId | null> {
  const upstream = config.upstream ?? null;
  const isOwn = (run: RunSummary) => run.label === label && run.skill === skill && run.upstream === upstream;
  const left = (await listRuns(home)).filter((run) => run.command === "record" && !run.isSealed && isOwn(run));
  for (const { run } of left.toReversed()) if (await isUnfinished(home, run)) return run;
  return null;
}

/** The runs of a skill that a proxy began and nobody sealed, oldest first. */
export async function leftRuns({ home, skill }: Pick<RecordingOptions, "home" | "skill">): Promise<RunId[]> {
  const runs = await listRuns(home);
  return runs.filter((one) => one.command === "record" && one.skill === skill && !one.isSealed).map(({ run }) => run);
}

/** A log may have been ended, and never sealed. */
async function isUnfinished(home: Home, run: RunId): Promise<boolean> {
  let last: LoggedEvent | null = null;
  for await (const event of readRunLog(home, run)) last = event;
  return last?.type !== "run_finished";
}

/** Whether a run has a log in this home. */
export function isThere(home: Home, run: RunId): boolean {
  return existsSync(home.runLog(run));
}

/**
 * Ends a recorded run and seals it.
 * Throws: what appending and sealing throw.
 */
export async function sealRecording(
  { home, clock }: Pick<RecordingOptions, "home" | "clock">,
  { log, book, append }: RecordedRun,
): Promise<SealedRecording> {
  let sealed: SealedRecording;
  try {
    sealed = endRun(log.run, book, append);
  } finally {
    log.close();
  }
  await sealRun(home, log.run, clock);
  return sealed;
}

/** Gives every item its end state and ends the log. Throws: what appending throws. */
export function endRun(run: RunId, counts: RunCounts, append: (event: RunEvent) => void): SealedRecording {
  for (const { item, attempts, passed, isJudged } of counts.summary()) {
    const state = passed > 0 ? "solved" : isJudged ? "unsolved" : "unjudged";
    append({ type: "item_finished", data: { item, state, attempts, passed } });
  }
  const sealed = sealedOf(run, counts);
  const { items, attempts, passed } = sealed;
  append({ type: "run_finished", data: { items, attempts, passed, failures: counts.failures } });
  return sealed;
}

/** What a run comes to that is sealed, or about to be. */
export function sealedOf(run: RunId, counts: RunCounts): SealedRecording {
  const items = counts.summary();
  const total = (count: (item: (typeof items)[number]) => number) => sumOf(items, count);
  return {
    run,
    items: items.length,
    attempts: total((item) => item.attempts),
    passed: total((item) => item.passed),
    unjudged: items.filter(({ isJudged }) => !isJudged).length,
  };
}

/**
 * Takes up the log of a run that is not sealed, with all that it holds; `skill` is whose items are to be recorded in it.
 * Throws: `NOT_RECORDED` for a run of tracemill's own, `OTHER_SKILL`, `LOCKED` with the way to the proxy that has it; and as `reopenRunLog`.
 */
export async function goOn(
  { home, clock }: Pick<RecordingOptions, "home" | "clock">,
  run: RunId,
  skill?: string,
): Promise<RecordedRun> {
  const book = openRunBook(run);
  let refusal: Refusal | null = null;
  const onEvent = (event: LoggedEvent) => {
    if (event.type === "run_started") refusal = whyNotGoneOn(event.data, skill);
    book.take(event);
  };
  const { log } = await reopened(home, { run, clock, onEvent });
  if (refusal !== null) {
    log.close();
    throw refusal;
  }
  return recordedRun(log, book, clock().getTime());
}

/** Begins a run; its label is the agent's own name for it, which may be its id: a run without one is that of calls without a name. */
export function beginRun(options: RecordingOptions, run: RunId, name: string | null): RecordedRun {
  const { home, clock, skill, codeVersion, config } = options;
  const log = createRunLog(home, { run, clock });
  const recorded = recordedRun(log, openRunBook(run), clock().getTime());
  const data = foreignStart({ run, skill, codeVersion, config: { command: "record", label: name, ...config } });
  recorded.append({ type: "run_started", data: { ...data, ...options.start } });
  return recorded;
}

function recordedRun(log: RunLog, book: RunBook, lastAtMs: number): RecordedRun {
  return {
    ...{ log, book, lastAtMs, openCalls: 0, isOver: false },
    append(event) {
      log.append(event);
      book.take(event);
    },
  };
}

/** A lock on a run that a proxy records is no fault: whoever holds it takes outcomes and the run's end itself. */
async function reopened(
  home: Home,
  options: Parameters<typeof reopenRunLog>[1],
): Promise<ReturnType<typeof reopenRunLog>> {
  try {
    return reopenRunLog(home, options);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "LOCKED")) throw error;
    const one = (await listRuns(home)).find(({ run }) => run === options.run);
    if (one?.command !== "record") throw error;
    const place = one.label === null ? "" : `/r/${encodeURIComponent(one.label)}`;
    throw new Refusal({
      ...error.details,
      message: `The run ${options.run} is being recorded by another process.`,
      expected: "a run that no proxy has open",
      fix: `at the proxy that records it, POST ${place}/outcome says an outcome, and POST ${place}/finish seals the run`,
      cause: error,
    });
  }
}

function isRecorded({ config }: RunStarted): boolean {
  return config.command === "record" || config.command === "agent";
}

function whyNotGoneOn(start: RunStarted, skill: string | undefined): Refusal | null {
  const { run } = start;
  if (!isRecorded(start)) return ownRun(run);
  if (skill === undefined || start.skill.id === skill) return null;
  return new Refusal({
    code: "OTHER_SKILL",
    message: `Run ${run} is of the skill ${start.skill.id}: its items are that skill's.`,
    expected: `a run of ${skill}, or another name`,
    got: run,
    fix: `tracemill record --skill ${start.skill.id}`,
  });
}

function ownRun(run: RunId): Refusal {
  return new Refusal({
    code: "NOT_RECORDED",
    message: `Run ${run} is one of tracemill's own, which goes on with it and seals it when it has finished.`,
    expected: "a run that `tracemill record` began",
    got: run,
    fix: `tracemill run --resume ${run}`,
  });
}
