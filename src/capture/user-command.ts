/**
 * A command of the user's own, run by the shell in a process group of its own: at its end, at its time limit, or when this
 * process goes, nothing of it goes on. A watcher in the group waits on a pipe that only this process holds, and kills the group
 * when it closes. What it says is bounded; what it means is not known here.
 */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { hasExited, killGroup } from "../foundation/process-group.ts";

export interface UserCommand {
  command: string;
  cwd: string;
  /** Besides this process's own. */
  env: Readonly<Record<string, string>>;
  input: string;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface CommandEnd {
  /** Null where it was ended by a signal. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  isTimedOut: boolean;
  durationMs: number;
}

const MOST_OUTPUT_BYTES = 4 << 20;
const GRACE_MS = 2000;
/** For what was said last, where something that left the group holds the output open. */
const DRAIN_MS = 1000;
const LIFELINE = 3;
const WATCHED = `(cat <&${LIFELINE}; kill -9 0) >/dev/null 2>&1 & exec ${LIFELINE}<&-; eval "$1"`;

/** Runs a command to its end. Throws: where no shell can be started. */
export async function runUserCommand(given: UserCommand): Promise<CommandEnd> {
  const { command, cwd, env, input, timeoutMs, signal } = given;
  const startMs = performance.now();
  const child = spawn("/bin/sh", ["-c", WATCHED, "sh", command], {
    ...{ cwd, detached: true, env: { ...process.env, ...env } },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const [stdin, stdout, stderr, lifeline] = child.stdio as unknown as [Socket, Socket, Socket, Socket];
  for (const stream of [stdin, lifeline]) stream.on("error", () => {}); // it may end without reading
  stdin.end(input);
  const [said, complained] = [bounded(stdout), bounded(stderr)];
  const exited = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("exit", resolve));
  const closed = new Promise((resolve) => child.once("close", resolve));
  let isTimedOut = false;
  let killing: NodeJS.Timeout | undefined;
  const kill = (how: NodeJS.Signals) => {
    if (!hasExited(child)) killGroup(child, how);
  };
  const end = () => {
    kill("SIGTERM");
    killing ??= setTimeout(kill, GRACE_MS, "SIGKILL");
  };
  const timer = setTimeout(() => {
    isTimedOut = true;
    end();
  }, timeoutMs);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    const exitCode = await exited;
    killGroup(child, "SIGKILL");
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())]);
    return {
      exitCode,
      stdout: said(),
      stderr: complained(),
      isTimedOut,
      durationMs: Math.round(performance.now() - startMs),
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(killing);
    signal.removeEventListener("abort", end);
    for (const stream of [stdin, stdout, stderr, lifeline]) stream.destroy();
  }
}

/** Keeps the beginning of what a stream says, and says where the rest was dropped. */
function bounded(stream: Socket): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let isCut = false;
  stream.on("data", (chunk: Buffer) => {
    isCut ||= sizeBytes + chunk.length > MOST_OUTPUT_BYTES;
    if (!isCut) chunks.push(chunk);
    sizeBytes += chunk.length;
  });
  stream.on("error", () => {});
  return () => `${Buffer.concat(chunks).toString("utf8").toWellFormed()}${isCut ? "\n[the rest was dropped]" : ""}`;
}
