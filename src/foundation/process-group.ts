/**
 * Ends a process group by its leader, and only while that leader's number can be nobody else's: numbers are given again,
 * and a group that ended long ago may have the number of a stranger's by now. A guarded one also ends with its owner.
 */
import type { ChildProcess } from "node:child_process";

/**
 * Runs a command and holds the other end of a pipe that its owner has: however the owner ends, the pipe does too, and the
 * whole group is killed. A group gets its signals at once, so the shell waits for the command when one comes.
 */
const GUARD = `
trap : TERM
"$@" </dev/null &
command=$!
exec 3<&0
(cat <&3 >/dev/null; kill -KILL -$$) &
while kill -0 $command 2>/dev/null; do wait $command; code=$?; done
exit $code`;

/**
 * Returns what is to be started in a command's place, so that its group ends with this process, also where that is killed.
 * Shapes: it is to be started as `detached`, with a pipe for its standard input.
 */
export function guarded(command: readonly string[]): { file: string; args: string[] } {
  return { file: "sh", args: ["-c", GUARD, "guard", ...command] };
}

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
