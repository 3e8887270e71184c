/**
 * Writes the same log as `createRunLog`, through a buffer and without flushing to the disk: for tests and benchmarks
 * that need a long log soon, and do not ask what survives a crash.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { canonicalJson } from "../../src/foundation/canonical-json.ts";
import type { Clock } from "../../src/foundation/clock.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import type { RunId } from "../../src/records/ids.ts";
import { chainLine, EMPTY_CHAIN } from "../../src/store/chain.ts";
import type { Home } from "../../src/store/home.ts";
import type { RunLog } from "../../src/store/run-log.ts";

const BUFFER_LENGTH = 1 << 20;

export function createBufferedLog(home: Home, { run, clock }: { run: RunId; clock: Clock }): RunLog {
  mkdirSync(home.runFolder(run), { recursive: true });
  const fd = openSync(home.runLog(run), "wx");
  const known = new Set<Hash>();
  let { head, events } = EMPTY_CHAIN;
  let pending = "";

  function write(type: string, dataText: string): void {
    const line = chainLine({ head, events }, { type, dataText }, clock);
    head = hashText(line);
    events += 1;
    pending += `${line}\n`;
    if (pending.length > BUFFER_LENGTH) sync();
  }

  function sync(): void {
    const bytes = Buffer.from(pending);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    pending = "";
  }

  function writeOnce(type: "message" | "tools", value: unknown): Hash {
    const text = canonicalJson(value);
    const hash = hashText(text);
    if (!known.has(hash)) write(type, `{"hash":"${hash}","${type}":${text}}`);
    known.add(hash);
    return hash;
  }

  return {
    run,
    get head() {
      return head;
    },
    get events() {
      return events;
    },
    append: ({ type, data }) => write(type, canonicalJson(data)),
    holds: (hash) => known.has(hash),
    message: (message) => writeOnce("message", message),
    tools: (tools) => writeOnce("tools", tools),
    sync,
    flush: async () => sync(),
    close() {
      sync();
      closeSync(fd);
    },
  };
}
