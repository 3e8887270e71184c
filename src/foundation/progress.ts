/**
 * Progress of long work: a few lines redrawn on a terminal, plain lines elsewhere, JSON lines under `--json`.
 * Does not know what is counted. Writes to stderr, so that stdout stays the command's result.
 */
import type { Clock } from "./clock.ts";

export interface Progress {
  /** `done` of `total` units; `note` is shown behind the bar (a rate, a loss). */
  update(done: number, note?: string, more?: ProgressMore): void;
  /** Ends the line with a closing remark. */
  finish(note?: string): void;
}

export interface ProgressMore {
  /** Shown below the bar, one line each. */
  below?: string[];
  /** What stands on a JSON line besides the progress itself. */
  figures?: Record<string, unknown>;
}

export interface ProgressSettings {
  title: string;
  total: number;
  /** Units that were done before this work began: the time that is left is told from those done since. */
  doneBefore?: number;
  clock: Clock;
  stream: NodeJS.WriteStream;
  /** One JSON object a line, for programs. */
  isJson: boolean;
  /** Least time between two JSON lines; 0 writes every update. */
  jsonIntervalMs?: number;
  /** Where it is aborted something else is written to the stream: what was drawn before stays. */
  signal?: AbortSignal;
}

const BAR_WIDTH = 16;
const TTY_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;
const JSON_INTERVAL_MS = 1000;
const DEFAULT_COLUMNS = 120;
/** Before so much is done nothing is said of what is left: the first of many that go on together comes late, and tells of hours. */
const TELLING_FRACTION = 0.01;

/** Shows work as it goes on, in the form that the stream's reader can take. */
export function startProgress(settings: ProgressSettings): Progress {
  const { title, total, doneBefore = 0, clock, stream, isJson, jsonIntervalMs = JSON_INTERVAL_MS, signal } = settings;
  const isTerminal = stream.isTTY === true && !isJson;
  const intervalMs = isJson ? jsonIntervalMs : isTerminal ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS;
  const write = isTerminal ? redrawing(stream, signal) : (lines: string[]) => stream.write(`${lines.join("")}\n`);
  const startMs = clock().getTime();
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastDone = doneBefore;
  let late: NodeJS.Timeout | undefined;

  function show(done: number, note: string | undefined, { below = [], figures = {} }: ProgressMore): void {
    lastMs = clock().getTime();
    const elapsedMs = lastMs - startMs;
    const since = done - doneBefore;
    const isTelling = since > 0 && since >= TELLING_FRACTION * (total - doneBefore);
    const leftMs = isTelling && done < total ? Math.round((elapsedMs / since) * (total - done)) : null;
    if (isJson)
      tell(stream, { event: "progress", title, done, total, elapsedMs, leftMs, note: note ?? null, ...figures });
    else write([barLine({ title, total }, { done, elapsedMs, leftMs, note }), ...below.map((line) => `  ${line}`)]);
  }

  return {
    update(done, note, more = {}) {
      lastDone = done;
      clearTimeout(late);
      // What comes too soon is shown a little later on a terminal: the step after it may take minutes.
      if (clock().getTime() - lastMs >= intervalMs) show(done, note, more);
      else if (isTerminal) late = setTimeout(show, intervalMs, done, note, more).unref();
    },
    finish(note) {
      clearTimeout(late);
      const elapsedMs = clock().getTime() - startMs;
      if (isJson) {
        tell(stream, { event: "finished", title, done: lastDone, total, elapsedMs, note: note ?? null });
        return;
      }
      if (isTerminal) write([""]);
      stream.write(`${title}: ${lastDone}/${total} in ${duration(elapsedMs)}${note ? `, ${note}` : ""}\n`);
    },
  };
}

interface Standing {
  done: number;
  elapsedMs: number;
  leftMs: number | null;
  note: string | undefined;
}

function barLine(
  { title, total }: { title: string; total: number },
  { done, elapsedMs, leftMs, note }: Standing,
): string {
  const fraction = total > 0 ? Math.min(1, done / total) : 0;
  const bar = "#".repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
  const left = leftMs === null ? "" : `  ${duration(leftMs)} left`;
  return `${title} [${bar}] ${done}/${total}  ${duration(elapsedMs)}${left}${note ? `  ${note}` : ""}`;
}

/** Draws lines over those before. The cursor stays behind the last, so that whatever else is written comes below. */
function redrawing(stream: NodeJS.WriteStream, signal: AbortSignal | undefined): (lines: string[]) => void {
  let below = 0;
  signal?.addEventListener("abort", () => {
    below = 0;
  });
  return (lines) => {
    const width = (stream.columns ?? DEFAULT_COLUMNS) - 1;
    const up = below > 0 ? `\x1b[${below}A` : "";
    below = lines.length - 1;
    stream.write(`${up}\r\x1b[J${lines.map((line) => line.slice(0, width)).join("\n")}`);
  };
}

/** Writes one event of a command's `--json` stream. */
export function tell(stream: NodeJS.WriteStream, event: { event: string; [figure: string]: unknown }): void {
  stream.write(`${JSON.stringify(event)}\n`);
}

/** Says what the user should know beside the result. */
export function warn(text: string, { stderr, isJson }: Watcher): void {
  if (isJson) tell(stderr, { event: "warning", text });
  else stderr.write(`${text}\n`);
}

/** Says that work without a count begins. */
export function tellStage(stage: string, title: string, { stderr, isJson }: Watcher): void {
  if (isJson) tell(stderr, { event: "stage", title, stage });
  else stderr.write(`${title}: ${stage}\n`);
}

interface Watcher {
  stderr: NodeJS.WriteStream;
  isJson: boolean;
}

/** Formats a duration for people: `840 ms`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`;
}
