/**
 * A program that is talked to in lines and trusted with nothing: what it may say is bounded, it sees few environment
 * variables, and it ends with us. It leads a process group of its own, in which a watcher waits on a pipe that only
 * this process holds: when that pipe closes, however this process ended, the watcher kills the group.
 * Does not know what the lines mean.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { printable } from "../foundation/printable.ts";
import { hasExited, killGroup } from "../foundation/process-group.ts";

/** A line beyond this ends the process. */
export const LINE_LIMIT_BYTES = 16 * 2 ** 20;
const STDERR_KEPT = 2000;
/** For a program that was told to end by the end of its stdin. */
const GRACE_MS = 2000;
/** For what a program said last, where something outside of its group holds its output open. */
const DRAIN_MS = 1000;
const LIFELINE = 3;

const WATCHED = `(cat <&${LIFELINE}; kill -9 0) >/dev/null 2>&1 & exec ${LIFELINE}<&-; exec "$@"`;

/** What a program needs to be found, to find its files, and to speak at once; Python leaves no files in its folder. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];
const SET = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" };

export interface LineProcess {
  write(line: string): void;
  hasEnded(): boolean;
  /** Whether this process stays alive for it. */
  setAlive(isAlive: boolean): void;
  /** Ends it and all of its group; at once, or when it had time to end by itself. */
  end(manner: "at-once" | "with-grace"): Promise<void>;
}

export interface LineListener {
  onLine(line: string): void;
  /** Called once, with why; nothing is called after it. */
  onEnd(reason: string): void;
}

type Pipes = Omit<ChildProcess, "stdio"> & {
  stdin: Socket;
  stdout: Socket;
  stderr: Socket;
  stdio: [Socket, Socket, Socket, Socket];
};

/** Shapes: `environment` names the variables that are passed on besides the usual ones. */
export function startLineProcess(
  { command, folder, environment }: { command: readonly string[]; folder: string; environment: readonly string[] },
  { onLine, onEnd }: LineListener,
): LineProcess {
  const child = spawn("sh", ["-c", WATCHED, "sh", ...command], {
    cwd: folder,
    detached: true,
    env: { ...passedOn([...PASSED_ON, ...environment]), ...SET },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  }) as unknown as Pipes;
  let stderr = "";
  let breach: string | null = null;
  const ended = new Promise<string>((done) => {
    child.on("error", (error) => done(`it cannot be started: ${error.message}`));
    child.on("close", (code, signal) => done(breach ?? endText({ code, signal, stderr })));
  });
  void ended.then(onEnd);
  readLines(child.stdout, {
    onLine: (line) => (breach === null ? onLine(line) : undefined),
    onTooLong: () => {
      breach = `it wrote a line of more than ${LINE_LIMIT_BYTES} bytes`;
      kill(child);
    },
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  for (const pipe of [child.stdin, child.stdio[LIFELINE]]) pipe.on("error", () => {}); // told by its end
  child.on("exit", () => {
    killGroup(child, "SIGKILL"); // what it left running goes with it
    setTimeout(() => [child.stdout, child.stderr].map((pipe) => pipe.destroy()), DRAIN_MS).unref();
  });
  return {
    write: (line) => void child.stdin.write(`${line}\n`),
    hasEnded: () => breach !== null || hasExited(child),
    setAlive: (isAlive) => setAlive(child, isAlive),
    async end(manner) {
      setAlive(child, true);
      child.stdin.end();
      if (manner === "at-once") kill(child);
      const timer = setTimeout(() => kill(child), GRACE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function kill(child: Pipes): void {
  child.stdio[LIFELINE].destroy();
  if (!hasExited(child)) killGroup(child, "SIGKILL");
}

function setAlive(child: Pipes, isAlive: boolean): void {
  const handles = [child, ...child.stdio] as { ref(): void; unref(): void }[];
  for (const handle of handles) isAlive ? handle.ref() : handle.unref();
}

function readLines(stream: Socket, { onLine, onTooLong }: { onLine(line: string): void; onTooLong(): void }): void {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  stream.on("data", (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString("utf8");
      parts = [];
      sizeBytes = 0;
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    sizeBytes += rest.length;
    if (sizeBytes <= LINE_LIMIT_BYTES) parts.push(rest);
    else if (parts.length > 0) {
      parts = [];
      onTooLong();
    }
  });
}

function endText({ code, signal, stderr }: { code: number | null; signal: string | null; stderr: string }): string {
  const how = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
  const said = printable(stderr).trim();
  return said === "" ? how : `${how}; stderr: ${said}`;
}

function passedOn(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
