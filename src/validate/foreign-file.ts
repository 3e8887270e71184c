/**
 * One JSON document that another tool wrote, read with a limit and checked; where it cannot be read, says why.
 */
import { readFile, stat } from "node:fs/promises";
import type { z } from "zod";
import { LINE_LIMIT_BYTES } from "../foundation/jsonl.ts";
import { parsePythonJson } from "../foundation/python-json.ts";

export type ReadFile<T> = { value: T } | { where: string; reason: string };

/** Reads a file. Throws: nothing. */
export async function readJsonFile<T>(file: string, schema: z.ZodType<T>): Promise<ReadFile<T>> {
  try {
    const { size } = await stat(file);
    if (size > LINE_LIMIT_BYTES) return { where: file, reason: `it has ${size} bytes, more than ${LINE_LIMIT_BYTES}` };
    return parseDocument(await readFile(file), { schema, where: file });
  } catch (error) {
    return { where: file, reason: (error as Error).message };
  }
}

/** Parses a document of which `where` is the name. */
export function parseDocument<T>(
  bytes: Buffer,
  { schema, where }: { schema: z.ZodType<T>; where: string },
): ReadFile<T> {
  const value = parsePythonJson(bytes.toString("utf8"));
  if (value === undefined) return { where, reason: "it is not JSON" };
  const read = schema.safeParse(value);
  return read.success ? { value: read.data } : { where, reason: "it is not of the shape that the tool writes" };
}
