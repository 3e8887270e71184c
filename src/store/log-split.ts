/**
 * Splits a sealed log into one file an event type, byte for byte, while its chain is checked: what DuckDB then reads is
 * exactly what was hashed, and every file holds rows of one shape, so that each byte is parsed once.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type ChainEnd, chainBroken, checkChain, linkOf } from "./chain.ts";

const BUFFER_BYTES = 1 << 20;
const NEWLINE = 10;

export interface SplitPart {
  path: string;
  lines: number;
  sizeBytes: number;
  longestLineBytes: number;
}

/**
 * Writes `<folder>/<type>.jsonl` for each of the types, with the log's lines of that type in order; others are left out.
 * Units: `onBytes` gets the bytes of the log read so far.
 * Throws: `LOG_BROKEN` where the log is not the one that was sealed.
 */
export function splitLog<T extends string>(
  path: string,
  sealed: ChainEnd,
  target: { folder: string; types: readonly T[]; onBytes?: (bytes: number) => void },
): Record<T, SplitPart> {
  const writers = new Map(
    target.types.map((type) => [type as string, partWriter(join(target.folder, `${type}.jsonl`))]),
  );
  try {
    const check = checkChain(path, {
      sealed,
      onLine: ({ bytes }) => writers.get(linkOf(bytes)?.type ?? "")?.write(bytes),
      ...(target.onBytes && { onBytes: target.onBytes }),
    });
    if (check.broken !== null) throw chainBroken(path, check.broken);
  } finally {
    for (const writer of writers.values()) writer.close();
  }
  return Object.fromEntries([...writers].map(([type, writer]) => [type, writer.part])) as Record<T, SplitPart>;
}

function partWriter(path: string) {
  const fd = openSync(path, "w");
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const part: SplitPart = { path, lines: 0, sizeBytes: 0, longestLineBytes: 0 };
  let filled = 0;

  function flush(): void {
    for (let written = 0; written < filled; ) written += writeSync(fd, buffer, written, filled - written);
    filled = 0;
  }

  function write(bytes: Buffer): void {
    const lineBytes = bytes.length + 1;
    if (filled + lineBytes > buffer.length) flush();
    if (lineBytes > buffer.length) {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    } else {
      filled += bytes.copy(buffer, filled);
    }
    buffer[filled++] = NEWLINE;
    part.lines += 1;
    part.sizeBytes += lineBytes;
    part.longestLineBytes = Math.max(part.longestLineBytes, lineBytes);
  }

  function close(): void {
    try {
      flush();
    } finally {
      closeSync(fd);
    }
  }

  return { part, write, close };
}
