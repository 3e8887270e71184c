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
  find(hash: string): TextPlace | null;
}

interface TextPlace {
  startByte: number;
  sizeBytes: number;
}

/** What stands around the canonical JSON of a message or of tools in its line. */
const HEAD = /^\{"at":"[^"]{24}","data":\{"hash":"([0-9a-f]{64})","(?:message|tools)":/;
const TAIL = /\},"prev":"[0-9a-f]{64}","seq":\d+,"type":"(?:message|tools)"\}$/;
const HEAD_BYTES = 160;
const TAIL_BYTES = 160;
/** As many as a number holds exactly. That two texts share them costs the one that is not found, nothing else. */
const KEY_DIGITS = 13;

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
      const { file, find } = logOf(run);
      const place = find(hash);
      if (place === null) return undefined;
      if (buffer.length < place.sizeBytes) buffer = Buffer.alloc(2 * place.sizeBytes);
      const text = buffer.subarray(0, readSync(file, buffer, 0, place.sizeBytes, place.startByte));
      return hashText(text) === hash ? JSON.parse(text.toString("utf8")) : undefined;
    },
    close() {
      for (const { file } of logs.values()) closeSync(file);
      logs.clear();
    },
  };
}

/** Reads a log through once. Keeps 28 bytes a text: there may be millions. */
function indexLog(path: string): IndexedLog {
  const keys: number[] = [];
  const startBytes: number[] = [];
  const sizesBytes: number[] = [];
  for (const { bytes, startByte } of readLines(path)) {
    const head = bytes && HEAD.exec(bytes.toString("latin1", 0, HEAD_BYTES));
    const tail = bytes && TAIL.exec(bytes.toString("latin1", Math.max(0, bytes.length - TAIL_BYTES)));
    if (bytes === null || head?.[1] === undefined || tail?.[0] === undefined) continue;
    keys.push(keyOf(head[1]));
    startBytes.push(startByte + head[0].length);
    sizesBytes.push(bytes.length - head[0].length - tail[0].length);
  }
  const byKey = new Uint32Array(keys.length).map((_, place) => place);
  byKey.sort((x, y) => (keys[x] as number) - (keys[y] as number));
  return {
    file: openSync(path, "r"),
    find(hash) {
      const key = keyOf(hash);
      let low = 0;
      for (let high = byKey.length; low < high; ) {
        const middle = (low + high) >>> 1;
        if ((keys[byKey[middle] as number] as number) < key) low = middle + 1;
        else high = middle;
      }
      const place = byKey[low];
      if (place === undefined || keys[place] !== key) return null;
      return { startByte: startBytes[place] as number, sizeBytes: sizesBytes[place] as number };
    },
  };
}

function keyOf(hash: string): number {
  return Number.parseInt(hash.slice(0, KEY_DIGITS), 16);
}
