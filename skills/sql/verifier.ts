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
import { type Answer, answerSchemas, READY, type Request } from "./verifier-protocol.ts";

/** For a query under judgement. Beyond its own limit, so that only what cannot be interrupted meets it. */
const QUERY_LIMIT_MS = 5000;
/** For all else: starting on a busy machine, preparing an item, reading a large file of the user's. */
const PATIENCE_MS = 120_000;
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
  /** The answer's line, or null where the process ended first; `onReady` is called when the query begins to run. */
  exchange(line: string, onReady: () => void): Promise<string | null>;
  hasEnded(): boolean;
  stderr(): string;
  setAlive(isBusy: boolean): void;
}

/** Makes the verifier; its process starts with the first request. */
export function startVerifier(): Verifier {
  let child: Child | null = null;
  let last: Promise<unknown> = Promise.resolve();

  function end(): void {
    child?.process.kill("SIGKILL");
    child = null;
  }

  async function exchange<V extends Request["verb"]>(request: Extract<Request, { verb: V }>): Promise<Reply<V>> {
    let reason = "";
    for (let n = 1; n <= TRIES; n++) {
      if (child?.hasEnded()) child = null;
      child ??= startChild();
      const line = await untilHung(child, JSON.stringify(request));
      if (typeof line === "object" && line !== null) {
        end();
        return { lost: "hung", reason: `no answer within ${line.hungMs} ms` };
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

async function untilHung(child: Child, line: string): Promise<string | null | { hungMs: number }> {
  child.setAlive(true);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const limit = (hungMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve({ hungMs }), hungMs);
      };
      limit(PATIENCE_MS);
      child.exchange(line, () => limit(QUERY_LIMIT_MS)).then(resolve, reject);
    });
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
  let ready = () => {};
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
  createInterface({ input: started.stdout }).on("line", (line) => {
    line === READY ? ready() : settle(line);
  });
  return {
    process: started,
    exchange: (line, onReady) =>
      new Promise((resolve) => {
        ready = onReady;
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
