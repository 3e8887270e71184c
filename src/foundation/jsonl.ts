/**
 * Reads a file line by line in constant memory, as bytes: whoever hashes lines must see them as they lie on the disk.
 * Does not know what a line holds. Reading is synchronous, because a log is reopened before anything else may happen.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** No writer makes a longer line, and no reader holds one in memory. */
export const LINE_LIMIT_BYTES = 64 << 20;

const CHUNK_BYTES = 1 << 20;
const TAIL_BYTES = 64 << 10;
const NEWLINE = 10;

export interface Line {
  /** From 1. */
  number: number;
  /** Offset of the line's first byte in the file. */
  startByte: number;
  /** Without the newline; null where the line is longer than the limit. Valid until the next line is asked for. */
  bytes: Buffer | null;
  /** False for a last line without newline. */
  isComplete: boolean;
}

/**
 * Yields every line of a file; nothing for a file that is not there.
 * Throws: what `open` and `read` throw otherwise.
 */
export function* readLines(path: string, limitBytes = LINE_LIMIT_BYTES): Generator<Line> {
  const file = openIfThere(path);
  if (file === null) return;
  try {
    yield* linesOf(file, limitBytes);
  } finally {
    closeSync(file);
  }
}

/**
 * Yields the lines of a part of a file, numbered from 1; the part begins where a line does, and ends behind one.
 * Throws: what `open` and `read` throw.
 */
export function* readLinesBetween(path: string, startByte: number, endByte: number): Generator<Line> {
  const file = openSync(path, "r");
  try {
    yield* linesOf(file, LINE_LIMIT_BYTES, { startByte, endByte });
  } finally {
    closeSync(file);
  }
}

/** Returns the text of a file from a byte on. */
export function readFrom(path: string, startByte: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(Math.max(0, fstatSync(file).size - startByte));
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, startByte));
  } finally {
    closeSync(file);
  }
}

/**
 * Returns a file's last whole line, found from its end, and the offset behind its newline; a last line without
 * newline is passed over. Null bytes and offset 0 where there is no whole line.
 */
export function readLastLine(path: string): { bytes: Buffer | null; endByte: number } {
  const file = openIfThere(path);
  if (file === null) return { bytes: null, endByte: 0 };
  try {
    const fullBytes = fstatSync(file).size;
    for (let tailBytes = Math.min(TAIL_BYTES, fullBytes); ; tailBytes = Math.min(4 * tailBytes, fullBytes)) {
      const tail = Buffer.alloc(tailBytes);
      readSync(file, tail, 0, tailBytes, fullBytes - tailBytes);
      const end = tail.lastIndexOf(NEWLINE);
      const start = end <= 0 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
      if (start === -1 && tailBytes < fullBytes) continue;
      return { bytes: end === -1 ? null : tail.subarray(start + 1, end), endByte: fullBytes - tailBytes + end + 1 };
    }
  } finally {
    closeSync(file);
  }
}

function* linesOf(
  file: number,
  limitBytes: number,
  part: { startByte: number; endByte: number } = { startByte: 0, endByte: Number.POSITIVE_INFINITY },
): Generator<Line> {
  // A short file needs no large buffer, and a store has many; one that grows meanwhile gets a larger one.
  const about = fstatSync(file);
  const hasPlaces = about.isFile(); // what comes through a pipe is read as it comes
  let buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, about.size + 1));
  let readByte = part.startByte;
  let filled = 0; // bytes of the buffer in use; the pending line starts at its byte 0
  let scanned = 0; // of these, how many are known to hold no newline
  let { startByte } = part;
  let skipped = 0; // bytes of the pending line that were dropped, as it is longer than the limit
  let number = 1;

  for (;;) {
    if (filled === buffer.length) {
      if (filled > limitBytes) {
        skipped += filled;
        filled = scanned = 0;
      } else {
        const larger = Buffer.allocUnsafe(Math.min(2 * buffer.length, Math.max(limitBytes + 1, CHUNK_BYTES)));
        buffer.copy(larger, 0, 0, filled);
        buffer = larger;
      }
    }
    const wanted = Math.min(buffer.length - filled, part.endByte - readByte);
    const got = wanted > 0 ? readSync(file, buffer, filled, wanted, hasPlaces ? readByte : null) : 0;
    if (got === 0) break;
    readByte += got;
    filled += got;

    let from = 0;
    for (;;) {
      const end = buffer.subarray(0, filled).indexOf(NEWLINE, Math.max(from, scanned));
      if (end === -1) break;
      const isTooLong = skipped + (end - from) > limitBytes;
      yield { number, startByte, bytes: isTooLong ? null : buffer.subarray(from, end), isComplete: true };
      startByte += skipped + (end - from) + 1;
      number += 1;
      skipped = 0;
      from = end + 1;
    }
    buffer.copyWithin(0, from, filled);
    filled -= from;
    scanned = filled;
  }
  if (skipped + filled > 0) {
    const isTooLong = skipped + filled > limitBytes;
    yield { number, startByte, bytes: isTooLong ? null : buffer.subarray(0, filled), isComplete: false };
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
