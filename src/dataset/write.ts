/**
 * Freezes a selection as a dataset folder: rows in a format, token ids and masks as Parquet, manifest and card. The
 * folder appears whole, under the hash of its manifest. Does not know why an example was chosen.
 */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFileAtomic, writeFolderAtomic, writeJsonAtomic } from "../foundation/files.ts";
import { hashFile, hashJson } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { lineageOfRow } from "../records/row-lineage.ts";
import { PARTS, type Selection } from "../records/selection.ts";
import type { Renderer } from "../render/renderer.ts";
import type { Home } from "../store/home.ts";
import { ROWS_FILE } from "../store/row-lineage.ts";
import { datasetCard } from "./card.ts";
import type { DatasetFormat } from "./format.ts";
import { createLineFile } from "./line-file.ts";
import { renderedRows } from "./rendered-rows.ts";
import { type RowCounts, rowCounts } from "./row-counts.ts";
import { createTokenTable } from "./token-table.ts";

/** What is known of a dataset before its rows are. */
export type DatasetOrigin = Pick<
  DatasetManifest,
  "skills" | "role" | "filter" | "settings" | "inputs" | "seed" | "codeVersion" | "replaces"
>;

export interface DatasetOptions {
  selection: Selection;
  origin: DatasetOrigin;
  format: string;
  base: BaseManifest;
  renderer: Renderer;
  /** The fewest training rows; a dataset with fewer is refused. At least 1. */
  minRows: number;
  /** What each refusal reason of the selection means. */
  reasons: ReadonlyMap<string, string>;
}

const FORMATS_FOLDER = join(import.meta.dirname, "formats");
const OWN_REASONS = [
  ["too-long", "more tokens than the dataset's limit"],
  ["prompt-not-prefix", "the base's template gives a prompt that does not begin the conversation"],
  ["template-refused", "the base's template cannot express the conversation"],
] as const;

/** Throws: `UNKNOWN_FORMAT` with the nearest known ones. */
export function loadFormat(id: string): Promise<DatasetFormat> {
  return loadExtension<DatasetFormat>(FORMATS_FOLDER, "format", id);
}

/**
 * Writes a selection as `datasets/<hash>/` and returns its manifest; where the same dataset is there already it stays.
 * Throws: `EMPTY_SELECTION` or `TOO_FEW_ROWS` with who took what, where fewer than `minRows` training rows are left; then
 * nothing is written.
 */
export async function writeDataset(home: Home, options: DatasetOptions): Promise<DatasetManifest> {
  const format = await loadFormat(options.format);
  async function fill(folder: string): Promise<DatasetManifest> {
    const counts = await writeRows(folder, format, options);
    const manifest = completeManifest(options, counts, await rowFiles(folder, format, counts));
    await writeJsonAtomic(join(folder, "manifest.json"), manifest);
    const reasons = new Map([...options.reasons, ...OWN_REASONS]);
    const facts = { manifest, extension: format.extension, licence: options.base.licence, reasons };
    await writeFileAtomic(join(folder, "README.md"), datasetCard(facts));
    return manifest;
  }
  return writeFolderAtomic(home.datasetFolder("new"), fill, ({ datasetHash }) => home.datasetFolder(datasetHash));
}

/**
 * Renders a selection without writing it, and returns what a dataset of it would count.
 * Throws: as `writeDataset`.
 */
export async function previewDataset(options: DatasetOptions): Promise<DatasetManifest["counts"]> {
  const counting = rowCounts();
  for await (const rendered of renderedRows(options.selection, renderSettings(options))) counting.add(rendered);
  return countsOf(counting, options);
}

async function writeRows(folder: string, format: DatasetFormat, options: DatasetOptions) {
  const counting = rowCounts();
  const files = await Promise.all(
    PARTS.map(async (part) => ({
      part,
      rows: await createLineFile(join(folder, `${part}.${format.extension}`)),
      tokens: createTokenTable(join(folder, `${part}.parquet`)),
    })),
  );
  const lineage = await createLineFile(join(folder, ROWS_FILE));
  try {
    for await (const rendered of renderedRows(options.selection, renderSettings(options))) {
      const { row, ids, mask } = rendered;
      const file = files.find(({ part }) => part === rendered.part);
      await file?.rows.write(format.line(row));
      await file?.tokens.add({ row_id: row.id, ids, mask });
      await lineage.write(JSON.stringify(lineageOfRow({ ...row, part: rendered.part })));
      counting.add(rendered);
    }
  } finally {
    await Promise.all([lineage, ...files.map(({ rows }) => rows)].map((file) => file.close()));
  }
  const counts = countsOf(counting, options);
  for (const { tokens } of files) await tokens.finish();
  return counts;
}

function renderSettings({ renderer, origin }: DatasetOptions) {
  return { renderer, maxTokens: origin.settings.maxTokens };
}

async function rowFiles(folder: string, format: DatasetFormat, counts: DatasetManifest["counts"]) {
  const rows = { train: counts.trainRows, validation: counts.validationRows };
  const named = PARTS.flatMap((part) =>
    [format.extension, "parquet"].map((ending) => ({ path: `${part}.${ending}`, rows: rows[part] })),
  );
  const all = [...named, { path: ROWS_FILE, rows: rows.train + rows.validation }];
  return Promise.all(all.map(async (file) => ({ ...file, hash: await hashFile(join(folder, file.path)) })));
}

function countsOf(counting: RowCounts, { selection, minRows }: DatasetOptions): DatasetManifest["counts"] {
  const { examples, refusals } = selection;
  const counts = { examples, ...counting.counts() };
  if (counts.trainRows >= minRows) return counts;
  const took = refusals.counts().map(({ reason, count, examples: [turn] }) => `${reason} ${count} (as ${turn})`);
  const isEmpty = counts.trainRows === 0;
  const left = isEmpty ? "" : `${counts.trainRows} training rows of `;
  throw new Refusal({
    code: isEmpty ? "EMPTY_SELECTION" : "TOO_FEW_ROWS",
    message: isEmpty ? "No example is left to train on." : "Fewer examples are left to train on than were asked for.",
    expected: `at least ${minRows} of train families that ${minRows === 1 ? "passes" : "pass"} the filter and every integrity filter`,
    got: examples === 0 ? "no example of this role in these runs" : `${left}${examples} examples; ${took.join("; ")}`,
    fix: "loosen `--filter`, or collect more: `tracemill run`",
  });
}

function completeManifest(
  { origin, format, base, renderer, selection }: DatasetOptions,
  counts: DatasetManifest["counts"],
  files: DatasetManifest["files"],
): DatasetManifest {
  const { tokenizerHash, templateHash } = renderer;
  const unnamed = { ...origin, format, base: base.name, tokenizerHash, templateHash, counts, files };
  const manifest = { ...unnamed, refusals: selection.refusals.counts() };
  return { datasetHash: hashJson(manifest), ...manifest };
}
