/**
 * A run that is recorded: begun at its first call, gone on with after a stop, sealed when it is said to be over. The
 * agent's own name for it is a label; the label of a sealed run begins a new one.
 */
import type { Clock } from "../foundation/clock.ts";
import type { EventData, RunEvent } from "../records/events.ts";
import { newRunId, type RunId, runIdSchema } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { createRunLog, listRuns, type RunLog, readRunLog, reopenRunLog, sealRun } from "../store/run-log.ts";
import { recordedStart } from "./foreign-item.ts";
import { openRunBook, type RunBook } from "./run-book.ts";

export interface RecordingOptions {
  home: Home;
  skill: string;
  codeVersion: string;
  config: EventData<"run_started">["config"];
  clock: Clock;
}

export interface RecordedRun {
  log: RunLog;
  book: RunBook;
  /** Appends to the log and takes it into the book. */
  append(event: RunEvent): void;
  lastAtMs: number;
}

export interface SealedRecording {
  run: RunId;
  items: number;
  attempts: number;
  passed: number;
  /** Items that nobody said an outcome of. */
  unjudged: number;
}

/**
 * Opens the run of a name: an id, or a label. Null is a run of its own.
 * Throws: `UNKNOWN_RUN`, `RUN_SEALED`, `LOCKED`, and what opening a log throws.
 */
export async function openNamedRun(options: RecordingOptions, name: string | null): Promise<RecordedRun> {
  if (name === null) return beginRun(options, null);
  const id = runIdSchema.safeParse(name);
  const run = id.success ? id.data : await labelledRun(options, name);
  return run === null ? beginRun(options, name) : goOn(options, run);
}

/**
 * Gives every item its end state, ends the log and seals it.
 * Throws: what appending and sealing throw.
 */
export async function sealRecording(
  { home, clock }: Pick<RecordingOptions, "home" | "clock">,
  { log, book, append }: RecordedRun,
): Promise<SealedRecording> {
  const items = book.summary();
  for (const { item, attempts, passed, isJudged } of items) {
    const state = passed > 0 ? "solved" : isJudged ? "unsolved" : "unjudged";
    append({ type: "item_finished", data: { item, state, attempts, passed } });
  }
  const total = (count: (item: (typeof items)[number]) => number) => items.reduce((sum, item) => sum + count(item), 0);
  const sealed = {
    items: items.length,
    attempts: total((item) => item.attempts),
    passed: total((item) => item.passed),
  };
  append({ type: "run_finished", data: { ...sealed, failures: book.failures } });
  log.close();
  await sealRun(home, log.run, clock);
  return { run: log.run, ...sealed, unjudged: items.filter(({ isJudged }) => !isJudged).length };
}

/** Takes up the log of a run that is not sealed, with all that it holds. Throws: as `reopenRunLog`. */
export async function goOn(
  { home, clock }: Pick<RecordingOptions, "home" | "clock">,
  run: RunId,
): Promise<RecordedRun> {
  const book = openRunBook(run);
  const { log } = reopenRunLog(home, { run, clock, onEvent: (event) => book.take(event) });
  return recordedRun(log, book, clock().getTime());
}

function beginRun(options: RecordingOptions, label: string | null): RecordedRun {
  const { home, clock, skill, codeVersion, config } = options;
  const run = newRunId(clock);
  const log = createRunLog(home, { run, clock });
  const recorded = recordedRun(log, openRunBook(run), clock().getTime());
  const data = recordedStart({ run, skill, codeVersion, config: { ...config, command: "record", label } });
  recorded.append({ type: "run_started", data });
  return recorded;
}

function recordedRun(log: RunLog, book: RunBook, lastAtMs: number): RecordedRun {
  return {
    ...{ log, book, lastAtMs },
    append(event) {
      log.append(event);
      book.take(event);
    },
  };
}

async function labelledRun({ home }: RecordingOptions, label: string): Promise<RunId | null> {
  const open = (await listRuns(home)).filter(({ isSealed }) => !isSealed);
  for (const { run } of open.toReversed()) {
    for await (const event of readRunLog(home, run)) {
      if (event.type === "run_started" && event.data.config.label === label) return run;
      break;
    }
  }
  return null;
}
