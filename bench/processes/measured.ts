/**
 * Runs a program to its end and says how long it took and how much memory it had at most, as the kernel counts it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";

export interface Measured {
  seconds: number;
  /** Of the program itself. Units: seconds of processor time, megabytes. */
  cpuSeconds: number;
  peakMegabytes: number;
}

const POLL_MS = 50;
const CLOCK_TICKS_A_SECOND = 100;

/** The command line of tracemill itself, as a user starts it. */
export const TRACEMILL = [process.execPath, join(PACKAGE_FOLDER, "bin", "tracemill.js")] as const;

/** `endings`: the exit codes that are no failure. */
export async function measured(
  [program, ...words]: readonly string[],
  home = "",
  endings: readonly number[] = [0],
): Promise<Measured> {
  const startMs = performance.now();
  const started = spawn(program ?? "", words, {
    env: { ...process.env, TRACEMILL_HOME: home },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(started, "exit");
  let last = { cpuSeconds: 0, peakMegabytes: 0 };
  while (started.exitCode === null && started.signalCode === null) {
    last = usageOf(started.pid ?? 0) ?? last;
    await Promise.race([ended, setTimeout(POLL_MS)]);
  }
  if (!endings.includes(started.exitCode ?? -1))
    throw new Error(`${words.join(" ")} ended with ${started.exitCode ?? started.signalCode}`);
  return { seconds: (performance.now() - startMs) / 1000, ...last };
}

/** Source: proc(5): VmHWM of /proc/PID/status in kB; fields 14 and 15 of /proc/PID/stat in clock ticks. */
function usageOf(pid: number): Omit<Measured, "seconds"> | null {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    if (peak === undefined) return null;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND,
      peakMegabytes: Number(peak) / 1000,
    };
  } catch {
    return null; // it has just ended
  }
}
