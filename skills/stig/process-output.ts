/**
 * Runs one program to its end or to its time limit, and keeps what it printed up to a limit. It is a session of its
 * own, so that Ctrl-C reaches tracemill alone, and it dies with the thread that started it.
 */
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { Failure } from "../../src/foundation/errors.ts";

/** Of each of stdout and stderr; what is beyond is dropped and `isCut` says so. */
const OUTPUT_LIMIT_BYTES = 1_000_000;

export interface Ended {
  /** Null where a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  isTimedOut: boolean;
  isCut: boolean;
  durationMs: number;
}

export interface RunLimits {
  limitMs: number;
  signal?: AbortSignal;
  /** Told each line of stdout as it comes, beyond what is kept too. */
  onLine?(line: string): void;
}

/** Throws: a failure of the sandbox's boundary where the program cannot be started. */
export async function runProgram(
  [program = "", ...words]: readonly string[],
  { limitMs, signal, onLine }: RunLimits,
): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...words], {
    detached: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = boundedText(child.stdout);
  const stderr = boundedText(child.stderr);
  if (onLine !== undefined) createInterface({ input: child.stdout }).on("line", onLine);
  let isTimedOut = false;
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => {
    isTimedOut = true;
    stop();
  }, limitMs);
  try {
    const exitCode = await new Promise<number | null>((done, fail) => {
      child.on("close", done);
      child.on("error", fail);
    });
    const isCut = stdout.isCut() || stderr.isCut();
    const durationMs = performance.now() - startMs;
    return { exitCode, stdout: stdout.text(), stderr: stderr.text(), isTimedOut, isCut, durationMs };
  } catch (cause) {
    throw new Failure({ boundary: "workspace", code: "SANDBOX_NOT_STARTED", message: `${program}: ${cause}`, cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function boundedText(stream: NodeJS.ReadableStream | null): { text(): string; isCut(): boolean } {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  stream?.on("data", (part: Buffer) => {
    if (sizeBytes < OUTPUT_LIMIT_BYTES) parts.push(part.subarray(0, OUTPUT_LIMIT_BYTES - sizeBytes));
    sizeBytes += part.length;
  });
  return {
    text: () => Buffer.concat(parts).toString("utf8"),
    isCut: () => sizeBytes > OUTPUT_LIMIT_BYTES,
  };
}
