/**
 * Unpacks zstd, also in several frames, which Node's own function does not: it stops at the end of the first.
 */
import { readFileSync, statSync } from "node:fs";
import zlib from "node:zlib";
import type { Rejected } from "../foreign.ts";
import type { JsonLine } from "../importer.ts";
import { MOST_DOCUMENT_BYTES, parseBytes, rejected } from "./json.ts";

export const NO_ZSTD = `it is compressed with zstd, which Node has from 22.15 on; this is ${process.version}`;

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const NEWLINE = 10;

export function hasZstd(): boolean {
  return typeof (zlib.zstdDecompressSync as unknown) === "function";
}

export function isZstd(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Throws: where the bytes are no zstd, or come to more than the limit. */
export function unpackZstd(packed: Buffer, mostBytes: number): Buffer {
  const frames: Buffer[] = [];
  let leftBytes = mostBytes;
  for (let rest = packed; rest.length > 0; ) {
    const { buffer, engine } = zlib.zstdDecompressSync(rest, {
      maxOutputLength: leftBytes + 1,
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    leftBytes -= buffer.length;
    if (leftBytes < 0) throw new Error(`it has more than ${mostBytes} bytes`);
    frames.push(buffer);
    rest = rest.subarray(Math.max(1, engine.bytesWritten));
  }
  return Buffer.concat(frames);
}

/** Reads a compressed file of JSON lines, which may unpack to `mostBytes`. */
export function* zstdLines(path: string, mostBytes: number): Generator<JsonLine | Rejected> {
  const { size } = statSync(path);
  if (!hasZstd()) return yield rejected(path, NO_ZSTD);
  if (size > MOST_DOCUMENT_BYTES) return yield rejected(path, `it has ${size} bytes, more than ${MOST_DOCUMENT_BYTES}`);
  let bytes: Buffer;
  try {
    bytes = unpackZstd(readFileSync(path), mostBytes);
  } catch (error) {
    return yield rejected(path, `it cannot be unpacked: ${(error as Error).message}`);
  }
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    const where = `${path}:${++number}`;
    start = end + 1;
    if (!line.some((byte) => byte > 32)) continue;
    const read = parseBytes(line);
    yield "value" in read ? { where, value: read.value } : rejected(where, read.reason);
  }
}
