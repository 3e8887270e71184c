/**
 * Reads JSON lines that are compressed with zstd.
 */
import { readFileSync, statSync } from "node:fs";
import { hasZstd, NO_ZSTD, unpackZstd } from "../../foundation/zstd.ts";
import type { Rejected } from "../foreign.ts";
import type { JsonLine } from "../importer.ts";
import { MOST_DOCUMENT_BYTES, parseBytes, rejected } from "./json.ts";

const NEWLINE = 10;

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
