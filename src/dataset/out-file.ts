/**
 * The copy of a dataset's training rows at a place that the user names.
 */
import { copyFile, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { temporarySibling } from "../foundation/files.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Home } from "../store/home.ts";
import { loadFormat } from "./formats.ts";

/**
 * Refuses early a place to which nothing can be written, before any work is spent on it.
 * Throws: `OUT_NOT_WRITABLE`.
 */
export async function checkOut(out: string): Promise<void> {
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false, // not there yet
  );
  if (isFolder) throw notWritable(out, "a folder");
  const probe = temporarySibling(out);
  try {
    await (await open(probe, "wx")).close();
  } catch (error) {
    throw notWritable(out, (error as NodeJS.ErrnoException).code ?? String(error), error);
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Copies a dataset's training rows to `out`, which then holds the old rows or the new ones, never a part.
 * Throws: `OUT_NOT_WRITABLE`.
 */
export async function copyTrainRows(home: Home, manifest: DatasetManifest, out: string): Promise<void> {
  const { extension } = await loadFormat(manifest.format);
  const temporary = temporarySibling(out);
  try {
    await copyFile(join(home.datasetFolder(manifest.datasetHash), `train.${extension}`), temporary);
    await rename(temporary, out);
  } catch (error) {
    throw notWritable(out, (error as NodeJS.ErrnoException).code ?? String(error), error);
  } finally {
    await rm(temporary, { force: true });
  }
}

function notWritable(out: string, got: string, cause?: unknown): Refusal {
  return new Refusal({
    code: "OUT_NOT_WRITABLE",
    message: "The rows cannot be written there.",
    expected: "a file in a folder that is there and may be written to",
    got,
    where: resolve(out),
    fix: `make the folder (mkdir -p ${dirname(resolve(out))}) or name another file with --out`,
    cause,
  });
}
