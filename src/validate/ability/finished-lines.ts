/**
 * What is finished of long work, one JSON line each under a key, so that the work goes on where it was interrupted. A torn
 * last line is cut off; a line that does not fit is passed over, and its work done again.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { jsonValue } from "../../foundation/json-value.ts";
import { readLines } from "../../foundation/jsonl.ts";
import { syncFile, wholeAppends } from "../../store/durable-file.ts";

export interface FinishedLines<T> {
  /** What was finished before, and since. */
  readonly values: ReadonlyMap<string, T>;
  /** Throws: `DISK_FULL`, `LOG_NOT_WRITTEN`. */
  add(key: string, value: T): void;
  /** Hands the lines over to the disk. */
  close(): void;
}

/** Keeps finished work in memory alone. */
export function unkeptLines<T>(): FinishedLines<T> {
  const values = new Map<string, T>();
  return { values, add: (key, value) => values.set(key, value), close: () => {} };
}

/** Opens the file, new or begun. Contract: one process at a time has it. */
export function openFinishedLines<T>(path: string, schema: z.ZodType<T>): FinishedLines<T> {
  mkdirSync(dirname(path), { recursive: true });
  const lineSchema = z.object({ key: z.string(), value: schema });
  const values = new Map<string, T>();
  let tornAt: number | null = null;
  for (const { bytes, startByte, isComplete } of readLines(path)) {
    const read = lineSchema.safeParse(jsonValue(bytes?.toString("utf8") ?? ""));
    if (!isComplete) tornAt = startByte;
    else if (read.success) values.set(read.data.key, read.data.value);
  }
  const fd = openSync(path, "a+");
  if (tornAt !== null) ftruncateSync(fd, tornAt);
  const sizeBytes = fstatSync(fd).size;
  const { append } = wholeAppends({ fd, path, sizeBytes });
  return {
    values,
    add(key, value) {
      append(Buffer.from(`${JSON.stringify({ key, value })}\n`));
      values.set(key, value);
    },
    close() {
      syncFile(fd, path);
      closeSync(fd);
    },
  };
}
