/**
 * Ends a process group by its leader, and only while that leader's number can be nobody else's: numbers are given again,
 * and a group that ended long ago may have the number of a stranger's by now.
 */
import type { ChildProcess } from "node:child_process";

/**
 * Signals a group; one that is gone already is no error. To be called until its leader's `exit` event, and in it.
 * Shapes: `leader` was started as `detached`; one that never started is no group.
 */
export function killGroup({ pid }: Pick<ChildProcess, "pid">, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether a process has exited, so that its number is no longer its own. */
export function hasExited({ exitCode, signalCode }: Pick<ChildProcess, "exitCode" | "signalCode">): boolean {
  return exitCode !== null || signalCode !== null;
}
