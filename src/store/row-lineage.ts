/**
 * Reads what the rows of a dataset were made from, row by row and in constant memory. A line is parsed only where it holds
 * one of the texts that are looked for, as a dataset may have a million rows. Datasets of earlier versions have no such file.
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Refusal } from "../foundation/errors.ts";
import { runningHash } from "../foundation/hashing.ts";
import { readLines } from "../foundation/jsonl.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { type RowLineage, rowLineageSchema } from "../records/row-lineage.ts";
import type { Home } from "./home.ts";

/** Name of the file in a dataset's folder. */
export const ROWS_FILE = "rows.jsonl";

/** Of more texts than this a line is parsed at once: looking for each of them would take longer. */
const MOST_NEEDLES = 8;
const LINES_PER_TURN = 4096;

type Named = Pick<DatasetManifest, "datasetHash" | "files">;

/** Whether a dataset says of each row what it was made from. */
export function hasRowLineage({ files }: Named): boolean {
  return files.some(({ path }) => path === ROWS_FILE);
}

/**
 * Yields the rows whose lines hold one of `texts`, in their order; all rows where there is none to look for. A text may
 * lie elsewhere in the line than the caller means.
 * Throws: `DATASET_CHANGED` at a line that is no row, and at the end where the file is not the one that was written.
 */
export async function* readRowLineage(
  home: Home,
  dataset: Named,
  texts: readonly string[] = [],
): AsyncGenerator<RowLineage> {
  const path = join(home.datasetFolder(dataset.datasetHash), ROWS_FILE);
  const isSearch = texts.length > 0 && texts.length <= MOST_NEEDLES;
  const needles = isSearch ? texts.map((text) => Buffer.from(JSON.stringify(text).slice(1, -1))) : [];
  const written = dataset.files.find((file) => file.path === ROWS_FILE)?.hash;
  const hash = runningHash();
  for (const { bytes, number } of readLines(path)) {
    if (number % LINES_PER_TURN === 0) await setImmediate(); // lets timers and signals in
    if (bytes !== null) hash.add(bytes, "\n");
    const row = bytes === null ? null : rowIn(bytes, needles);
    if (row === null) throw changed(`${path}:${number}`, "a row", "something else");
    if (row !== undefined) yield row;
  }
  const found = hash.digest();
  if (found !== written) throw changed(path, `a file of the hash ${written}`, found);
}

/** Undefined for a line that holds nothing that is looked for; null for one that is no row. */
function rowIn(bytes: Buffer, needles: readonly Buffer[]): RowLineage | null | undefined {
  if (needles.length > 0 && !needles.some((needle) => bytes.includes(needle))) return undefined;
  try {
    return rowLineageSchema.safeParse(JSON.parse(bytes.toString("utf8"))).data ?? null;
  } catch {
    return null; // the caller knows the line
  }
}

function changed(where: string, expected: string, got: string): Refusal {
  return new Refusal({
    code: "DATASET_CHANGED",
    message: "A file of the dataset is not the one that was exported.",
    ...{ expected, got, where },
    fix: "remove the dataset's folder and export it again: the same inputs give the same dataset",
  });
}
