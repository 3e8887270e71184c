/**
 * The hash chain that run logs and the ledger share: what a line looks like and whether the lines of a file follow
 * from one another. A line is canonical JSON with the keys at, data, prev, seq, type in this order, so its place in
 * the chain is read off its end without parsing what it holds. Does not know what the events mean.
 */
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, hashText, ZERO_HASH } from "../foundation/hashing.ts";
import { type Line, readFrom, readLastLine, readLines } from "../foundation/jsonl.ts";

/** Where a chain ends: the hash of its last line and how many lines it has. */
export interface ChainEnd {
  head: Hash;
  events: number;
}

export const EMPTY_CHAIN: ChainEnd = { head: ZERO_HASH, events: 0 };

export type ChainFault = "edited" | "unreadable" | "wrong-seq" | "wrong-prev" | "cut" | "added";

export interface BrokenLine {
  /** From 1. */
  line: number;
  fault: ChainFault;
  reason: string;
}

export interface TornTail {
  line: number;
  /** Everything from here on is to be cut off. */
  startByte: number;
}

export type WholeLine = Line & { bytes: Buffer };

export interface ChainCheck extends ChainEnd {
  broken: BrokenLine | null;
  /** A last line that a crash cut short, in a chain that is not sealed. */
  torn: TornTail | null;
  /** Type of the last whole line. */
  lastType: string | null;
  longestLineBytes: number;
}

interface Link {
  prev: string;
  seq: number;
  type: string;
}

const TAIL_BYTES = 192;
const START = Buffer.from('{"at":"');
const TAIL = /"prev":"([0-9a-f]{64})","seq":(0|[1-9]\d{0,15}),"type":"([a-z_]{1,32})"\}$/;

/** Builds the next line of a chain, without its newline. Contract: `dataText` is canonical JSON. */
export function chainLine(end: ChainEnd, event: { type: string; dataText: string }, clock: Clock): string {
  return `{"at":"${timeText(clock())}","data":${event.dataText},"prev":"${end.head}","seq":${end.events},"type":"${event.type}"}`;
}

let lastTime = { ms: Number.NaN, text: "" };

/** Many lines are of the same millisecond. */
function timeText(time: Date): string {
  const ms = time.getTime();
  if (ms !== lastTime.ms) lastTime = { ms, text: time.toISOString() };
  return lastTime.text;
}

/** Reads a line's place in its chain, or null where the bytes are no such line. */
export function linkOf(bytes: Buffer | null): Link | null {
  if (bytes === null || !bytes.subarray(0, START.length).equals(START)) return null;
  const match = TAIL.exec(bytes.toString("latin1", Math.max(0, bytes.length - TAIL_BYTES)));
  if (match === null) return null;
  return { prev: match[1] as string, seq: Number(match[2]), type: match[3] as string };
}

/**
 * Finds where a chain ends from the end of its file, without reading the rest.
 * Units: `sizeBytes` is the length of the file up to its last whole line.
 * Throws: `LOG_BROKEN` where the last whole line is no such line.
 */
export function lastLink(path: string): { end: ChainEnd; sizeBytes: number } {
  const { bytes, endByte } = readLastLine(path);
  if (bytes === null) return { end: EMPTY_CHAIN, sizeBytes: endByte };
  const link = linkOf(bytes);
  if (link === null) throw chainBroken(path, { line: null, reason: REASONS.unreadable });
  return { end: { head: hashText(bytes), events: link.seq + 1 }, sizeBytes: endByte };
}

/**
 * Checks a file's chain from its first line, in constant memory, and names the first broken line.
 * A changed line shows in the `prev` of the line after it; whether that one or the line itself was changed is told by
 * the line after both, or by `sealed`, where the ledger says how the chain must end.
 * `onLine` sees every whole line that follows from the ones before it, as it is read.
 */
export function checkChain(
  path: string,
  options: { sealed?: ChainEnd; onLine?: (line: WholeLine, type: string) => void; onBytes?: (bytes: number) => void },
): ChainCheck {
  const { sealed } = options;
  const check: ChainCheck = { ...EMPTY_CHAIN, broken: null, torn: null, lastType: null, longestLineBytes: 0 };
  let before: ChainEnd & { lastType: string | null; startByte: number } = {
    ...EMPTY_CHAIN,
    lastType: null,
    startByte: 0,
  };
  let isLinkWrong = false; // the last line's `prev` is not the hash of the line before it
  let suspect: TornTail | null = null; // unreadable, but perhaps only the torn last line

  for (const line of readLines(path)) {
    if (suspect !== null) return broken(check, isLinkWrong ? check.events - 1 : suspect.line, "unreadable");
    const link = line.isComplete ? linkOf(line.bytes) : null;
    if (link === null || line.bytes === null) {
      suspect = { line: line.number, startByte: line.startByte };
      continue;
    }
    if (isLinkWrong) {
      const isLastIntact = link.prev === check.head;
      return broken(check, isLastIntact ? check.events - 1 : check.events, isLastIntact ? "edited" : "wrong-prev");
    }
    if (link.seq !== line.number - 1) return broken(check, line.number, "wrong-seq");
    if (sealed !== undefined && line.number > sealed.events) return broken(check, line.number, "added");
    isLinkWrong = link.prev !== check.head;
    if (isLinkWrong && line.number === 1) return broken(check, 1, "wrong-prev");
    before = { head: check.head, events: check.events, lastType: check.lastType, startByte: line.startByte };
    check.head = hashText(line.bytes);
    check.events = line.number;
    check.lastType = link.type;
    check.longestLineBytes = Math.max(check.longestLineBytes, line.bytes.length);
    if (!isLinkWrong) options.onLine?.(line as WholeLine, link.type);
    options.onBytes?.(line.startByte + line.bytes.length + 1);
  }
  if (isLinkWrong) {
    const isLastIntact = sealed === undefined || check.head === sealed.head;
    return broken(check, isLastIntact ? check.events - 1 : check.events, isLastIntact ? "edited" : "wrong-prev");
  }
  if (sealed !== undefined) return checkEnd(check, sealed, suspect);
  if (suspect === null && check.events > 0 && !isJson(path, before.startByte)) {
    const { startByte, ...end } = before;
    return { ...check, ...end, torn: { line: check.events, startByte } };
  }
  return { ...check, torn: suspect };
}

/** Whether the rest of a file is JSON: after a power cut a last line may have its end but not all of its middle. */
function isJson(path: string, startByte: number): boolean {
  try {
    JSON.parse(readFrom(path, startByte));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function checkEnd(check: ChainCheck, sealed: ChainEnd, suspect: TornTail | null): ChainCheck {
  if (suspect !== null) return broken(check, suspect.line, suspect.line > sealed.events ? "added" : "unreadable");
  if (check.events < sealed.events) return broken(check, check.events + 1, "cut");
  if (check.head !== sealed.head) return broken(check, check.events, "edited");
  return check;
}

const REASONS: Record<ChainFault, string> = {
  edited: "the line was changed: its hash is not the one that was recorded after it",
  unreadable: "the line is not a log line: it was changed, cut short, or is longer than a line may be",
  "wrong-seq": "the line has the wrong number: a line before it is missing, was added, or it was changed itself",
  "wrong-prev": "the line was changed: it does not name the hash of the line before it",
  cut: "the line is missing: the log ends before the end that was sealed",
  added: "the line was added after the log was sealed",
};

function broken(check: ChainCheck, line: number, fault: ChainFault): ChainCheck {
  return { ...check, broken: { line, fault, reason: REASONS[fault] } };
}

/** The refusal of a log that does not follow from its first line. */
export function chainBroken(path: string, { line, reason }: { line: number | null; reason: string }): Refusal {
  return new Refusal({
    code: "LOG_BROKEN",
    message: `The log is broken at ${line === null ? "its last line" : `line ${line}`}: ${reason}.`,
    expected: "every line to follow from the one before it",
    where: line === null ? path : `${path}:${line}`,
    fix: "run `tracemill verify`, and put the file back from a backup",
  });
}
