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

const BAR_WIDTH = 24;
const TTY_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;
const JSON_INTERVAL_MS = 1000;
const DEFAULT_COLUMNS = 120;

/** Shows work as it goes on, in the form that the stream's reader can take. */
export function startProgress(settings: ProgressSettings): Progress {
  const { title, total, doneBefore = 0, clock, stream, isJson, jsonIntervalMs = JSON_INTERVAL_MS, signal } = settings;
  const startMs = clock().getTime();
  const isTerminal = stream.isTTY === true && !isJson;
  const intervalMs = isJson ? jsonIntervalMs : isTerminal ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS;
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastDone = doneBefore;
  let drawnBelow = 0;
  let late: NodeJS.Timeout | undefined;
  signal?.addEventListener("abort", () => {
    drawnBelow = 0;
  });

  function leftMsOf(done: number, elapsedMs: number): number | null {
    const since = done - doneBefore;
    return since > 0 && done < total ? (elapsedMs / since) * (total - done) : null;
  }

  function barLine(done: number, note: string | undefined, elapsedMs: number): string {
    const fraction = total > 0 ? Math.min(1, done / total) : 0;
    const bar = "#".repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
    const leftMs = leftMsOf(done, elapsedMs);
    const left = leftMs === null ? "" : `  ${duration(leftMs)} left`;
    return `${title} [${bar}] ${done}/${total}  ${duration(elapsedMs)}${left}${note ? `  ${note}` : ""}`;
  }

  /** The cursor stays behind the last line, so that whatever else is written comes below. */
  function draw(text: string, linesBelow: number): void {
    const up = drawnBelow > 0 ? `\x1b[${drawnBelow}A` : "";
    drawnBelow = linesBelow;
    stream.write(`${up}\r\x1b[J${text}`);
  }

  function show(done: number, note: string | undefined, { below = [], figures = {} }: ProgressMore): void {
    const elapsedMs = lastMs - startMs;
    if (isJson) {
      const leftMs = leftMsOf(done, elapsedMs);
      const rest = { elapsedMs, leftMs: leftMs === null ? null : Math.round(leftMs), note: note ?? null };
      tell(stream, { event: "progress", title, done, total, ...rest, ...figures });
      return;
    }
    const lines = [barLine(done, note, elapsedMs), ...below.map((line) => `  ${line}`)];
    const width = (stream.columns ?? DEFAULT_COLUMNS) - 1;
    if (isTerminal) draw(lines.map((line) => line.slice(0, width)).join("\n"), lines.length - 1);
    else stream.write(`${lines.join("")}\n`);
  }

  return {
    update(done, note, more = {}) {
      lastDone = done;
      clearTimeout(late);
      const nowMs = clock().getTime();
      // A terminal is to show what comes now, however long it takes, and not what went before it.
      if (nowMs - lastMs >= intervalMs) {
        lastMs = nowMs;
        show(done, note, more);
      } else if (isTerminal) late = setTimeout(show, intervalMs, done, note, more).unref();
    },
    finish(note) {
      clearTimeout(late);
      const elapsedMs = clock().getTime() - startMs;
      if (isJson) {
        tell(stream, { event: "finished", title, done: lastDone, total, elapsedMs, note: note ?? null });
        return;
      }
      const text = `${title}: ${lastDone}/${total} in ${duration(elapsedMs)}${note ? `, ${note}` : ""}`;
      if (isTerminal) draw(`${text}\n`, 0);
      else stream.write(`${text}\n`);
    },
  };
}

/** Writes one event of a command's `--json` stream. */
export function tell(stream: NodeJS.WriteStream, event: { event: string; [figure: string]: unknown }): void {
  stream.write(`${JSON.stringify(event)}\n`);
}

/** Says that work without a count begins. */
export function tellStage(stage: string, title: string, { stderr, isJson }: StageWatcher): void {
  if (isJson) tell(stderr, { event: "stage", title, stage });
  else stderr.write(`${title}: ${stage}\n`);
}

interface StageWatcher {
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
