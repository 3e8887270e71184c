/**
 * Notes that processes leave of themselves: one counts for as long as its process lives.
 */
import { readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { jsonValue } from "../foundation/json-value.ts";
import { isProcess } from "../foundation/lock-file.ts";

/** Whose note it is. */
export const processNoteSchema = z.object({
  pid: z.int().min(1),
  /** When the process began, where the system tells it: ids are given anew. */
  birth: z.string().nullable(),
});

/** Reads a note; where its process is gone, or it cannot be read, it is removed and null is returned. */
export async function livingNote<T extends z.infer<typeof processNoteSchema>>(
  path: string,
  schema: z.ZodType<T>,
): Promise<T | null> {
  const read = schema.safeParse(jsonValue(await readFile(path, "utf8").catch(() => "")));
  if (read.success && isProcess(read.data)) return read.data;
  await rm(path, { force: true });
  return null;
}
