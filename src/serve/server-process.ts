/**
 * A model server that is a process of its own: started in a process group, waited for until it is healthy, ended with all
 * that it started, also where this process is killed. What it says is kept, so that one that dies while it loads is shown
 * with its last lines.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { Failure } from "../foundation/errors.ts";
import { printable } from "../foundation/printable.ts";
import { guarded, hasExited, killGroup } from "../foundation/process-group.ts";
import { duration } from "../foundation/progress.ts";
import { serverLog } from "./server-log.ts";

const POLL_MS = 100;
const TELL_MS = 5000;
const LOAD_TIMEOUT_MS = 600_000;
const GRACE_MS = 10_000;
const KEPT_LINES = 30;
const KEPT_CHARACTERS = 20_000;
const TOLD_CHARACTERS = 160;
const NEVER = new AbortController().signal;
export interface ServerCommand {
  /** What it is called where people read. */
  title: string;
  executable: string;
  args: string[];
  env?: Record<string, string>;
  /** Gets all that it says, where it is given; begins anew with each start. */
  logFile?: string;
  /** Answers with status 200 once the server can be asked. */
  healthUrl: string;
  /** How long that may take; ten minutes, where it is left out. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Told while that lasts what it said last. */
  onStage?(stage: string): void;
  /** How often; every five seconds, where it is left out. */
  tellMs?: number;
}

export interface ServerProcess {
  pid: number;
  /** Null while it runs; else why it does not. */
  ended(): string | null;
  /** The last lines of what it said. */
  lastLines(): string;
  /** Ends it and all that it started; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a server and returns when it is healthy.
 * Throws: a failure `SERVER_DIED` of the boundary `endpoint` with its last lines; the signal's reason.
 */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const { executable, args, env } = command;
  const guard = guarded([executable, ...args]);
  const child = spawn(guard.file, guard.args, {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true, // a group of its own, which ends with it
    env: { ...process.env, ...env },
  });
  const server = watched(child, command.logFile);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const pid = await started(child);
  const running: ServerProcess = {
    pid,
    ended: server.ended,
    lastLines: server.lastLines,
    stop: () => stop(child, closed),
  };
  try {
    await untilHealthy(running, command);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilHealthy(
  server: ServerProcess,
  { title, healthUrl, timeoutMs = LOAD_TIMEOUT_MS, signal = NEVER, onStage, tellMs = TELL_MS }: ServerCommand,
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const beganMs = performance.now();
  let told = 0;
  while (!(await isHealthy(healthUrl, signal))) {
    signal.throwIfAborted();
    const waitedMs = performance.now() - beganMs;
    if (waitedMs >= (told + 1) * tellMs) {
      told = Math.floor(waitedMs / tellMs);
      onStage?.(`${title} loads since ${duration(waitedMs)}: ${lastLine(server)}`);
    }
    const why = server.ended() ?? (timeout.aborted ? `not healthy after ${timeoutMs / 1000} s` : null);
    if (why !== null) {
      const message = `${title} ${why} while it was loading. Its last lines:\n${server.lastLines()}`;
      throw new Failure({ boundary: "endpoint", code: "SERVER_DIED", message });
    }
    await sleep(POLL_MS);
  }
  const why = server.ended();
  if (why === null) return;
  // Whoever answered there was another one.
  const message = `${title} ${why}, and another server answers at ${healthUrl}. Its last lines:\n${server.lastLines()}`;
  throw new Failure({ boundary: "endpoint", code: "SERVER_DIED", message });
}

/** For a terminal: bars are drawn over themselves, and colours are its own. */
function lastLine(server: ServerProcess): string {
  const lines = stripVTControlCharacters(server.lastLines()).split(/[\r\n]+/);
  const line = lines.findLast((one) => one.trim() !== "") ?? "it has said nothing yet";
  return printable(line.trim()).slice(0, TOLD_CHARACTERS);
}

async function isHealthy(url: string, stop: AbortSignal): Promise<boolean> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(GRACE_MS)]);
  const response = await fetch(url, { signal }).catch(() => null);
  await response?.body?.cancel();
  return response?.status === 200;
}

function watched(child: ChildProcess, logFile?: string): Pick<ServerProcess, "ended" | "lastLines"> {
  let said = "";
  let end: string | null = null;
  const log = logFile === undefined ? null : serverLog(logFile);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-KEPT_CHARACTERS);
      log?.write(text);
    });
  }
  child.once("exit", (code, signal) => {
    killGroup(child, "SIGKILL"); // what it left behind goes with it
    end = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  });
  return {
    ended: () => end,
    lastLines: () => said.trimEnd().split("\n").slice(-KEPT_LINES).join("\n"),
  };
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid as number));
    child.once("error", reject);
  });
}

async function stop(child: ChildProcess, closed: Promise<void>): Promise<void> {
  if (!hasExited(child)) {
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    killGroup(child, "SIGTERM");
    await Promise.race([gone, sleep(GRACE_MS, undefined, { ref: false })]);
  }
  if (!hasExited(child)) killGroup(child, "SIGKILL");
  // A process lets go of its memory before its pipes, and all of the group have these.
  await Promise.race([closed, sleep(GRACE_MS, undefined, { ref: false })]);
}
