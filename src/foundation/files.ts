/**
 * Writing files so that a crash leaves the old one or the new one, never a half.
 * A temporary sibling is written and flushed to the disk, then renamed over the target; a failed write removes it.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** After so long without a change a temporary folder belongs to nobody who is still at work. */
const ABANDONED_MS = 24 * 60 * 60_000;

/** Returns the path of a new temporary sibling of `path`; nothing is created. */
export function temporarySibling(path: string): string {
  return `${path}.tmp-${randomBytes(6).toString("hex")}`;
}

/** Writes a whole file atomically and durably, making its folder where it is missing. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporarySibling(path);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Writes a value as indented JSON with a final newline, atomically. */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Builds a folder under a temporary name, renames it into place once `fill` has succeeded, and returns what `fill` gave.
 * Where the target is already there it is kept and the new one dropped: a folder named by its hash never changes.
 * What a killed process left there is removed a day later.
 * `pathOf` names the target where that is known only from the content; `path` then says which folder it lies beside.
 */
export async function writeFolderAtomic<T>(
  path: string,
  fill: (temporary: string) => Promise<T>,
  pathOf: (filled: T) => string = () => path,
): Promise<T> {
  const temporary = temporarySibling(path);
  await removeAbandoned(path);
  await mkdir(temporary, { recursive: true });
  try {
    const filled = await fill(temporary);
    await rename(temporary, pathOf(filled)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    await syncFolder(dirname(path));
    return filled;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what writers of `path` that were killed have left beside it. */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(`${basename(path)}.tmp-`))) {
    const left = join(folder, name);
    const changedAt = await stat(left).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changedAt > ABANDONED_MS) await rm(left, { recursive: true, force: true });
  }
}

/** Flushes a folder's entries (a rename) to the disk; a platform that cannot open folders is left as it is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  if (folder === null) return;
  await folder.sync().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EINVAL" && error.code !== "EPERM") throw error;
  });
  await folder.close();
}
