/**
 * Progress of long work: one line redrawn on a terminal, plain lines elsewhere, nothing under `--json`.
 * Does not know what is counted. Writes to stderr, so that stdout stays the command's result.
 */
import type { Clock } from "./clock.ts";

export interface Progress {
  /** `done` of `total` units; `note` is shown behind the bar (a rate, a loss). */
  update(done: number, note?: string): void;
  /** Ends the line with a closing remark. */
  finish(note?: string): void;
}

export interface ProgressSettings {
  title: string;
  total: number;
  clock: Clock;
  stream: NodeJS.WriteStream;
  isQuiet: boolean;
}

const BAR_WIDTH = 24;
const TTY_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;

export function startProgress({ title, total, clock, stream, isQuiet }: ProgressSettings): Progress {
  const startMs = clock().getTime();
  const isTerminal = stream.isTTY === true;
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastDone = 0;

  function line(done: number, note: string | undefined, nowMs: number): string {
    const elapsedMs = nowMs - startMs;
    const fraction = total > 0 ? Math.min(1, done / total) : 0;
    const bar = "#".repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
    const left = done > 0 && done < total ? `  ${duration((elapsedMs / done) * (total - done))} left` : "";
    return `${title} [${bar}] ${done}/${total}  ${duration(elapsedMs)}${left}${note ? `  ${note}` : ""}`;
  }

  return {
    update(done, note) {
      lastDone = done;
      const nowMs = clock().getTime();
      if (isQuiet || nowMs - lastMs < (isTerminal ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
      lastMs = nowMs;
      stream.write(
        isTerminal
          ? `\r\x1b[2K${line(done, note, nowMs).slice(0, (stream.columns ?? 120) - 1)}`
          : `${line(done, note, nowMs)}\n`,
      );
    },
    finish(note) {
      if (isQuiet) return;
      const text = `${title}: ${lastDone}/${total} in ${duration(clock().getTime() - startMs)}${note ? `, ${note}` : ""}`;
      stream.write(isTerminal ? `\r\x1b[2K${text}\n` : `${text}\n`);
    },
  };
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
