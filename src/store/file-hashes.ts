/**
 * Hashes of large files that are referenced in place, remembered by path, size and time of the last change: a base of
 * 60 GB is read once. The memory lies in the base's own folder, so the files may be read-only.
 */
import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashFile } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import { hashSchema } from "../records/ids.ts";

const cacheSchema = z.record(
  z.string(),
  z.object({ sizeBytes: z.int().min(0), changedMs: z.number(), hash: hashSchema }),
);

export interface HashedFile {
  path: string;
  sizeBytes: number;
  hash: Hash;
}

/** Units: bytes read so far, and bytes to be read in all; never called where nothing has to be read. */
export type OnHash = (doneBytes: number, totalBytes: number) => void;

/** Hashes files, reading only those that are new or changed since the last call with the same `cacheFolder`. */
export async function hashFiles(paths: string[], cacheFolder: string, onHash: OnHash): Promise<HashedFile[]> {
  const cachePath = join(cacheFolder, "hashes.json");
  const cache = await readCache(cachePath);
  const stats = await Promise.all(paths.map((path) => stat(path)));
  const isKnown = paths.map((path, index) => {
    const { size, mtimeMs } = stats[index] as Stats;
    return cache[path]?.sizeBytes === size && cache[path].changedMs === mtimeMs;
  });
  const totalBytes = sumOf(stats, ({ size }, index) => (isKnown[index] ? 0 : size));
  const hashed: HashedFile[] = [];
  let doneBytes = 0;
  for (const [index, path] of paths.entries()) {
    const { size: sizeBytes, mtimeMs: changedMs } = stats[index] as Stats;
    const known = isKnown[index] ? cache[path]?.hash : undefined;
    const hash = known ?? (await hashFile(path, (bytes) => onHash(doneBytes + bytes, totalBytes)));
    hashed.push({ path, sizeBytes, hash });
    if (known !== undefined) continue;
    doneBytes += sizeBytes;
    cache[path] = { sizeBytes, changedMs, hash };
    // Where the memory cannot be kept (a full or read-only disk), that too costs the reading again and no more.
    await writeJsonAtomic(cachePath, cache).catch(() => {});
  }
  return hashed;
}

/** A memory that is missing or broken only costs the reading again. */
async function readCache(path: string): Promise<z.infer<typeof cacheSchema>> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  try {
    return cacheSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
