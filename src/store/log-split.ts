/**
 * Splits a sealed log while its chain is checked: into parts of whole items, each small enough for memory, and each
 * part into one file an event type. What DuckDB then reads is what was hashed, each file has rows of one shape, and an
 * item's events meet in one part, so that tables are sorted and joined part by part however long the log is.
 * Canonical JSON sorts keys and escapes quotes, so a line's item is found without parsing the line.
 */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type ChainEnd, chainBroken, checkChain } from "./chain.ts";
import { firstText, itemObjects } from "./line-bytes.ts";

/** What is written of a log: its event types, but every item of `items_scanned` as a line of its own, bare. */
export const STAGED_TYPES = [
  "run_started",
  "item",
  "message",
  "tools",
  "turn",
  "action",
  "verdict",
  "tip_saved",
  "tip_retired",
  "architect_decided",
  "item_finished",
  "run_finished",
] as const;

export type StagedType = (typeof STAGED_TYPES)[number];

/** The lines of one event type, in several files: what DuckDB reads at a time ends where a file does. */
export interface StagedLines {
  paths: string[];
  longestLineBytes: number;
}

export type StagedPart = Record<StagedType, StagedLines>;

/** How many bytes of a log are turned into Parquet at a time, unless told otherwise. */
export const PART_BYTES = 16 << 20;

const BUFFERS_BYTES = 32 << 20;
const LARGEST_BUFFER_BYTES = 1 << 20;
/** DuckDB parses up to 2048 lines of a file at a time, and needs many times their length for it. */
const STAGED_FILE_BYTES = 1 << 20;
const RUN_ID_LENGTH = 20;

/** The key whose text says where a line belongs. */
const ROUTES: Record<string, string> = {
  turn: "attempt",
  action: "attempt",
  verdict: "attempt",
  architect_decided: "item",
  item_finished: "item",
  message: "hash",
  tools: "hash",
  tip_saved: "tip",
  tip_retired: "tip",
};

/**
 * Writes a sealed log's parts under `folder`; event types that the lake does not read are left out.
 * Units: `onBytes` gets the bytes of the log read so far.
 * Throws: `LOG_BROKEN` where the log is not the one that was sealed.
 */
export function splitLog(
  path: string,
  sealed: ChainEnd,
  target: { folder: string; partBytes: number; onBytes?: (bytes: number) => void },
): StagedPart[] {
  const count = Math.max(1, Math.ceil(statSync(path).size / target.partBytes));
  const bufferBytes = Math.min(LARGEST_BUFFER_BYTES, Math.floor(BUFFERS_BYTES / (count * STAGED_TYPES.length)));
  const parts = Array.from({ length: count }, (_, i) => partWriter(join(target.folder, `part-${i}`), bufferBytes));
  const partOf = (key: Buffer) => parts[count === 1 ? 0 : crc32(key) % count] as PartWriter;

  const check = checkChain(path, {
    sealed,
    onLine({ bytes }, type) {
      if (type === "items_scanned") {
        for (const { item, object } of itemObjects(bytes)) partOf(item).item.write(object);
      } else if (type === "run_started" || type === "run_finished") {
        parts[0]?.[type].write(bytes);
      } else {
        const key = ROUTES[type];
        if (key !== undefined) partOf(routeOf(bytes, key))[type as StagedType].write(bytes);
      }
    },
    ...(target.onBytes && { onBytes: target.onBytes }),
  });
  if (check.broken !== null) throw chainBroken(path, check.broken);
  for (const part of parts) for (const writer of Object.values(part)) writer.flush();
  return parts;
}

/** An attempt `<run>/<item>/<n>` belongs where its item does; everything else where its own id says. */
function routeOf(line: Buffer, key: string): Buffer {
  const text = firstText(line, key);
  return key === "attempt" ? text.subarray(RUN_ID_LENGTH + 1, text.lastIndexOf("/")) : text;
}

type PartWriter = Record<StagedType, LineWriter>;
interface LineWriter extends StagedLines {
  write(bytes: Buffer): void;
  flush(): void;
}

function partWriter(folder: string, bufferBytes: number): PartWriter {
  mkdirSync(folder, { recursive: true });
  const writers = STAGED_TYPES.map((type) => [type, lineWriter(join(folder, type), bufferBytes)]);
  return Object.fromEntries(writers) as PartWriter;
}

/** Opens its file for each flush only, as a long log has more files than a process may hold open. */
function lineWriter(pathStart: string, bufferBytes: number): LineWriter {
  let pending: Buffer | null = null;
  let filled = 0;
  let room = 0; // bytes that still fit into the last file

  function append(...chunks: Buffer[]): void {
    if (room <= 0) {
      writer.paths.push(`${pathStart}-${writer.paths.length}.jsonl`);
      room = STAGED_FILE_BYTES;
    }
    const fd = openSync(writer.paths.at(-1) as string, "a");
    try {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
        room -= chunk.length;
      }
    } finally {
      closeSync(fd);
    }
  }

  const writer: LineWriter = {
    paths: [],
    longestLineBytes: 0,
    write(bytes) {
      const lineBytes = bytes.length + 1;
      writer.longestLineBytes = Math.max(writer.longestLineBytes, lineBytes);
      if (filled + lineBytes > bufferBytes) writer.flush();
      if (lineBytes > bufferBytes) return append(bytes, NEWLINE);
      pending ??= Buffer.allocUnsafe(bufferBytes);
      filled += bytes.copy(pending, filled);
      filled += NEWLINE.copy(pending, filled);
    },
    flush() {
      if (filled > 0 && pending !== null) append(pending.subarray(0, filled));
      filled = 0;
    },
  };
  return writer;
}

const NEWLINE = Buffer.from("\n");
