/**
 * Messages and tools of sealed runs by their hash, read from where they lie in the logs. The lake's turns name texts by
 * hash; whoever needs the texts of many turns, in any order, reads them here one by one, in memory that does not grow
 * with their length. What is read is checked against its hash, so an edited text is absent, never passed on.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { hashText } from "../foundation/hashing.ts";
import { readLines } from "../foundation/jsonl.ts";
import type { RunId } from "../records/ids.ts";
import type { Home } from "./home.ts";

export interface RecordedTexts {
  /** Returns the message or the list of tools of this hash; undefined where the run's log does not hold it. */
  read(run: RunId, hash: string): unknown;
  close(): void;
}

interface IndexedLog {
  file: number;
  /** Place of each hash in the two lists below: numbers alone, as there is one entry a message. */
  places: Map<string, number>;
  startBytes: number[];
  sizesBytes: number[];
}

/** What stands around the canonical JSON of a message or of tools in its line. */
const HEAD = /^\{"at":"[^"]{24}","data":\{"hash":"([0-9a-f]{64})","(?:message|tools)":/;
const TAIL = /\},"prev":"[0-9a-f]{64}","seq":\d+,"type":"(?:message|tools)"\}$/;
const HEAD_BYTES = 160;
const TAIL_BYTES = 160;

/** Opens the logs of runs as they are asked for; each is read through once, for the places of its texts. */
export function openTexts(home: Home): RecordedTexts {
  const logs = new Map<RunId, IndexedLog>();
  let buffer = Buffer.alloc(1 << 16);

  function logOf(run: RunId): IndexedLog {
    const log = logs.get(run) ?? indexLog(home.runLog(run));
    logs.set(run, log);
    return log;
  }

  return {
    read(run, hash) {
      const { file, places, startBytes, sizesBytes } = logOf(run);
      const place = places.get(hash) ?? -1;
      const startByte = startBytes[place];
      const sizeBytes = sizesBytes[place];
      if (startByte === undefined || sizeBytes === undefined) return undefined;
      if (buffer.length < sizeBytes) buffer = Buffer.alloc(2 * sizeBytes);
      const text = buffer.subarray(0, readSync(file, buffer, 0, sizeBytes, startByte));
      return hashText(text) === hash ? JSON.parse(text.toString("utf8")) : undefined;
    },
    close() {
      for (const { file } of logs.values()) closeSync(file);
      logs.clear();
    },
  };
}

function indexLog(path: string): IndexedLog {
  const log: IndexedLog = { file: openSync(path, "r"), places: new Map(), startBytes: [], sizesBytes: [] };
  for (const { bytes, startByte } of readLines(path)) {
    const head = bytes && HEAD.exec(bytes.toString("latin1", 0, HEAD_BYTES));
    const tail = bytes && TAIL.exec(bytes.toString("latin1", Math.max(0, bytes.length - TAIL_BYTES)));
    if (bytes === null || head?.[1] === undefined || tail?.[0] === undefined) continue;
    log.places.set(head[1], log.startBytes.length);
    log.startBytes.push(startByte + head[0].length);
    log.sizesBytes.push(bytes.length - head[0].length - tail[0].length);
  }
  return log;
}
