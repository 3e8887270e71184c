/**
 * The verifier's process seen from outside: one request at a time, in order. The process starts when it is first
 * needed, is replaced when it ends or hangs, keeps nothing alive while idle, and sees no environment variables.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type Answer, answerSchemas, type Request } from "./verifier-protocol.ts";

/** Beyond the queries' own limit, so that only what cannot be interrupted meets it. */
const HARD_LIMIT_MS = 5000;
/** Reading a large file of the user's takes its time. */
const FILE_LIMIT_MS = 120_000;
/** A child that ends at a request gets that request once more: the first end may have come from outside. */
const TRIES = 2;

export type Reply<V extends Request["verb"]> =
  | { answer: Answer<V> }
  /** The process hung, or ended at each try: there is no answer. */
  | { lost: "hung" | "ended"; reason: string };

export interface Verifier {
  ask<V extends Request["verb"]>(request: Extract<Request, { verb: V }>): Promise<Reply<V>>;
  /** The id of the process that is running, for tests that end it. */
  pid(): number | null;
  close(): Promise<void>;
}

interface Child {
  process: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  /** The answer's line, or null where the process ended first. */
  exchange(line: string): Promise<string | null>;
  hasEnded(): boolean;
  stderr(): string;
  setAlive(isBusy: boolean): void;
}

export function startVerifier(): Verifier {
  let child: Child | null = null;
  let last: Promise<unknown> = Promise.resolve();

  function end(): void {
    child?.process.kill("SIGKILL");
    child = null;
  }

  async function exchange<V extends Request["verb"]>(request: Extract<Request, { verb: V }>): Promise<Reply<V>> {
    const limitMs = "file" in request && request.file !== null ? FILE_LIMIT_MS : HARD_LIMIT_MS;
    let reason = "";
    for (let n = 1; n <= TRIES; n++) {
      if (child?.hasEnded()) child = null;
      child ??= startChild();
      const line = await within(limitMs, child, JSON.stringify(request));
      if (line === "hung") {
        end();
        return { lost: "hung", reason: `no answer within ${limitMs} ms` };
      }
      if (line !== null) {
        const answer = answerSchemas[request.verb].parse(JSON.parse(line)) as Answer<V>;
        if ("isSpent" in answer && answer.isSpent) end();
        return { answer };
      }
      reason = child.stderr() || "the verifier's process ended while it ran this query";
      end();
    }
    return { lost: "ended", reason };
  }

  return {
    ask(request) {
      const next = last.then(() => exchange(request));
      last = next.catch(() => undefined);
      return next;
    },
    pid: () => child?.process.pid ?? null,
    async close() {
      await last;
      end();
    },
  };
}

async function within(limitMs: number, child: Child, line: string): Promise<string | null> {
  child.setAlive(true);
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("hung"), limitMs);
  });
  try {
    return await Promise.race([child.exchange(line), hung]);
  } finally {
    clearTimeout(timer);
    child.setAlive(false);
  }
}

function startChild(): Child {
  const script = join(import.meta.dirname, `verifier-process${extname(import.meta.filename)}`);
  const started = spawn(process.execPath, ["--max-old-space-size=256", script], {
    cwd: tmpdir(),
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
  }) as Child["process"];
  let waiting: ((line: string | null) => void) | null = null;
  let stderr = "";
  const settle = (line: string | null) => {
    waiting?.(line);
    waiting = null;
  };
  const hasEnded = () => started.exitCode !== null || started.signalCode !== null;
  started.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  started.stdin.on("error", () => settle(null)); // it ended before it read the request
  started.on("error", () => settle(null));
  started.on("close", () => settle(null));
  createInterface({ input: started.stdout }).on("line", settle);
  return {
    process: started,
    exchange: (line) =>
      new Promise((resolve) => {
        waiting = resolve;
        if (hasEnded()) settle(null);
        else started.stdin.write(`${line}\n`);
      }),
    hasEnded,
    stderr: () => stderr.trim(),
    setAlive(isBusy) {
      const handles = [started, started.stdin, started.stdout, started.stderr] as unknown as Socket[];
      for (const handle of handles) isBusy ? handle.ref() : handle.unref();
    },
  };
}
