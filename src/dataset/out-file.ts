/**
 * The copy of a dataset's training rows at a place that the user names.
 */
import { copyFile, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { assert, Refusal } from "../foundation/errors.ts";
import { temporarySibling } from "../foundation/files.ts";
import { hashFile } from "../foundation/hashing.ts";
import { readLines } from "../foundation/jsonl.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Home } from "../store/home.ts";
import { dateColumnsAlone } from "./date-columns.ts";
import { loadFormat } from "./formats.ts";
import { createLineFile } from "./line-file.ts";
import { telltaleRows } from "./telltale-rows.ts";

/** What lies there is the record itself, or made of it. */
const OWN_PLACES = new Set([
  ...["ledger.jsonl", "checked-logs.json", "runs", "lake", "bases", "datasets", "adapters", "comparisons", "loops"],
  ...["imports", "servers", "workspaces"],
]);

/**
 * Refuses early a place to which nothing can be written, before any work is spent on it.
 * Throws: `OUT_NOT_WRITABLE`.
 */
export async function checkOut(home: Home, out: string): Promise<void> {
  const target = await targetOf(out);
  const found = await stat(target).catch(() => null); // not there yet
  if (found?.isDirectory() === true) throw notWritable(out, "a folder", { fix: `--out ${join(out, "rows.jsonl")}` });
  if (found !== null && !found.isFile()) throw notWritable(out, "no regular file");
  const root = await realpath(home.path).catch(() => home.path);
  const [place] = relative(root, target).split(sep);
  if (place !== undefined && OWN_PLACES.has(place)) throw notWritable(out, "a place of tracemill's own");
  const probe = temporarySibling(target);
  try {
    await (await open(probe, "wx")).close();
    await rm(probe);
  } catch (error) {
    throw failedToWrite(out, error);
  }
}

/**
 * Returns the file that is written where `out` is named: what a link leads to, there or not, as the link stays one.
 * Throws: `OUT_NOT_WRITABLE` where no path leads there.
 */
async function targetOf(out: string): Promise<string> {
  try {
    const link = await readlink(out).catch(() => null); // no link
    const isThere = await stat(out).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        return false;
      },
    );
    if (isThere) return await realpath(out);
    const folder = await realpath(dirname(resolve(out)));
    return link === null ? join(folder, basename(out)) : await targetOf(resolve(folder, link));
  } catch (error) {
    throw error instanceof Refusal ? error : failedToWrite(out, error);
  }
}

/**
 * Copies a dataset's training rows to `out`, which then holds the old rows or the new ones, never a part. Where a loader
 * that reads the file alone would else not see that rows have other keys, a row that has them stands first. Returns the columns of
 * which such a loader would make times.
 * Throws: `OUT_NOT_WRITABLE`; `DATASET_CHANGED` where they are no longer what was written.
 */
export async function copyTrainRows(home: Home, manifest: DatasetManifest, out: string): Promise<string[]> {
  const { extension, columns } = await loadFormat(manifest.format);
  const path = `train.${extension}`;
  const source = join(home.datasetFolder(manifest.datasetHash), path);
  const target = await targetOf(out);
  const temporary = temporarySibling(target);
  try {
    await copyFile(source, temporary);
    const hash = await hashFile(temporary);
    if (hash !== manifest.files.find((file) => file.path === path)?.hash) throw datasetChanged(source);
    const first = extension === "jsonl" ? telltaleRows(source, columns) : [];
    if (first.length > 0) await writeInOrder(source, temporary, first);
    await rename(temporary, target);
    return extension === "jsonl" ? dateColumnsAlone(source, columns) : [];
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw failedToWrite(out, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Writes the lines of a file with those of these numbers before all others. */
async function writeInOrder(source: string, target: string, first: readonly number[]): Promise<void> {
  await rm(target);
  const file = await createLineFile(target);
  const write = async (isFirst: boolean) => {
    for (const { number, bytes } of readLines(source)) {
      assert(bytes !== null, "a row is longer than a line that can be read");
      if (first.includes(number) === isFirst) await file.write(bytes.toString());
    }
  };
  try {
    await write(true);
    await write(false);
  } finally {
    await file.close();
  }
}

function datasetChanged(where: string): Refusal {
  return new Refusal({
    code: "DATASET_CHANGED",
    message: "The dataset's rows are no longer what was written.",
    expected: "the file whose hash the manifest names",
    got: "another one",
    where,
    fix: "remove the dataset's folder, and export again: the same rows come back",
  });
}

function failedToWrite(out: string, cause: unknown): Refusal {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  const folder = dirname(resolve(out));
  const fix = code === "ENOENT" ? { fix: `make the folder (mkdir -p ${folder}) or name another file with --out` } : {};
  return notWritable(out, code, { ...fix, cause });
}

function notWritable(
  out: string,
  got: string,
  { fix = "name another file with --out", cause }: { fix?: string; cause?: unknown } = {},
): Refusal {
  return new Refusal({
    code: "OUT_NOT_WRITABLE",
    message: "The rows cannot be written there.",
    expected: "a file in a folder that is there and may be written to",
    got,
    where: resolve(out),
    fix,
    cause,
  });
}
