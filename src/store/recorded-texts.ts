/**
 * Messages and tools of sealed runs by their hash, read from where they lie in the logs. The lake's turns name texts by
 * hash; whoever needs the texts of many turns, in any order, reads them here one by one, in memory that does not grow
 * with their length. What is read is checked against its hash, so an edited text is absent, never passed on.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { hashText } from "../foundation/hashing.ts";
import { readLines } from "../foundation/jsonl.ts";
import { type NumberList, numberList } from "../foundation/number-list.ts";
import type { RunId } from "../records/ids.ts";
import type { Home } from "./home.ts";

export interface RecordedTexts {
  /** Returns the message or the list of tools of this hash; undefined where the run's log does not hold it. */
  read(run: RunId, hash: string): unknown;
  close(): void;
}

interface IndexedLog {
  file: number;
  /** The places of all texts whose hash may be this one. */
  find(hash: string): Iterable<TextPlace>;
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
/** So many that few texts share them; which of those is meant is told by its whole hash, once it is read. */
const KEY_DIGITS = 8;
const BUCKETS = 1 << 16;

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
      for (const { startByte, sizeBytes } of find(hash)) {
        if (buffer.length < sizeBytes) buffer = Buffer.alloc(2 * sizeBytes);
        const text = buffer.subarray(0, readSync(file, buffer, 0, sizeBytes, startByte));
        if (hashText(text) === hash) return JSON.parse(text.toString("utf8"));
      }
      return undefined;
    },
    close() {
      for (const { file } of logs.values()) closeSync(file);
      logs.clear();
    },
  };
}

/** Reads a log through once. Keeps 20 bytes a text: there may be millions. */
function indexLog(path: string): IndexedLog {
  const keys = numberList("uint32");
  const startBytes = numberList("float64");
  const sizesBytes = numberList("uint32");
  for (const { bytes, startByte } of readLines(path)) {
    const head = bytes && HEAD.exec(bytes.toString("latin1", 0, HEAD_BYTES));
    const tail = bytes && TAIL.exec(bytes.toString("latin1", Math.max(0, bytes.length - TAIL_BYTES)));
    if (bytes === null || head?.[1] === undefined || tail?.[0] === undefined) continue;
    keys.push(keyOf(head[1]));
    startBytes.push(startByte + head[0].length);
    sizesBytes.push(bytes.length - head[0].length - tail[0].length);
  }
  const placesOf = placesByKey(keys);
  return {
    file: openSync(path, "r"),
    *find(hash) {
      for (const place of placesOf(keyOf(hash))) {
        yield { startByte: startBytes.at(place), sizeBytes: sizesBytes.at(place) };
      }
    },
  };
}

/** Sorts the places of keys by the keys' first digits, and returns how to find those of one key. */
function placesByKey(keys: NumberList): (key: number) => Iterable<number> {
  const starts = new Uint32Array(BUCKETS + 1);
  for (let place = 0; place < keys.length; place++) addTo(starts, bucketOf(keys.at(place)) + 1, 1);
  for (let bucket = 0; bucket < BUCKETS; bucket++) addTo(starts, bucket + 1, starts[bucket] as number);
  const places = new Uint32Array(keys.length);
  const next = starts.slice();
  for (let place = 0; place < keys.length; place++) {
    const bucket = bucketOf(keys.at(place));
    places[next[bucket] as number] = place;
    addTo(next, bucket, 1);
  }
  return function* (key) {
    const bucket = bucketOf(key);
    for (const place of places.subarray(starts[bucket], starts[bucket + 1])) if (keys.at(place) === key) yield place;
  };
}

function addTo(numbers: Uint32Array, index: number, value: number): void {
  numbers[index] = (numbers[index] as number) + value;
}

function bucketOf(key: number): number {
  return Math.floor(key / (2 ** 32 / BUCKETS));
}

function keyOf(hash: string): number {
  return Number.parseInt(hash.slice(0, KEY_DIGITS), 16);
}
