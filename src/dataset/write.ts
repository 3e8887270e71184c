/**
 * Freezes a selection as a dataset folder: rows in a format, token ids and masks where there is a base, manifest, card and
 * description. The folder appears whole, under the hash of its manifest. Does not know why an example was chosen.
 */
import { join } from "node:path";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeFileAtomic, writeFolderAtomic, writeJsonAtomic } from "../foundation/files.ts";
import { hashFile, hashJson } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { PARTS, type Part, type Selection } from "../records/selection.ts";
import type { Renderer } from "../render/renderer.ts";
import type { Home } from "../store/home.ts";
import { datasetCard } from "./card.ts";
import { croissantDescription } from "./croissant.ts";
import { dateColumns } from "./date-columns.ts";
import type { DatasetFormat } from "./format.ts";
import { formatFor } from "./formats.ts";
import { createLineFile } from "./line-file.ts";
import { createPartFiles, type PartFile } from "./part-files.ts";
import { REASONS, type Reason } from "./reasons.ts";
import { type RenderSettings, renderedRows } from "./rendered-rows.ts";
import { type Composition, type RowCounts, rowCounts } from "./row-counts.ts";

/** A line for each example that says what a row's does, with the row's turn. */
const DUPLICATES_FILE = "duplicates.jsonl";

/** What is known of a dataset before its rows are. */
export type DatasetOrigin = Pick<
  DatasetManifest,
  "tier" | "skills" | "role" | "filter" | "gatesOff" | "settings" | "inputs" | "seed" | "codeVersion" | "replaces"
>;

/** Why a base's template may refuse a row. */
const OF_TEMPLATE: readonly Reason[] = [
  "prompt-not-prefix",
  "template-refused",
  "answer-not-shown",
  "prompt-not-shown",
];

export interface DatasetOptions {
  selection: Selection;
  origin: DatasetOrigin;
  format: string;
  /** Null where the rows are to be texts alone. */
  base: BaseManifest | null;
  /** The base's; null with it. */
  renderer: Renderer | null;
  /** The fewest training rows; a dataset with fewer is refused. At least 1. */
  minRows: number;
  /** What each refusal reason of the selection means. */
  reasons: ReadonlyMap<string, string>;
}

/**
 * Writes a selection as `datasets/<hash>/` and returns its manifest; where the same dataset is there already it stays.
 * Throws: `UNKNOWN_FORMAT`, `FORMAT_OF_ANOTHER_TIER`, `FORMAT_NEEDS_BASE`; `EMPTY_SELECTION` or `TOO_FEW_ROWS` with who
 * took what, where fewer than `minRows` training rows are left; `ONE_LABEL_ALONE` where judged ones are all good or all
 * bad; then nothing is written.
 */
export async function writeDataset(home: Home, options: DatasetOptions): Promise<DatasetManifest> {
  const format = await checkedFormat(options);
  async function fill(folder: string): Promise<DatasetManifest> {
    const { counting, files } = await writeRows(folder, format, options);
    const counts = countsOf(counting, options, format);
    const companions = format.companions?.({ counts }) ?? [];
    for (const { path, text } of companions) await writeFileAtomic(join(folder, path), text);
    const written = [
      ...files.map(({ path, part }) => ({ path, rows: rowsOf(counts, part) })),
      ...companions.map(({ path }) => ({ path, rows: 0 })),
      { path: DUPLICATES_FILE, rows: options.selection.duplicates.length },
    ];
    const composed = { counts, ...counting.composition() };
    const manifest = completeManifest(options, composed, await describedFiles(folder, written));
    await writeJsonAtomic(join(folder, "manifest.json"), manifest);
    const facts = { manifest, format, licence: options.base?.licence ?? null };
    const reasons = new Map([...options.reasons, ...Object.entries(REASONS)]);
    const asJson = format.extension === "jsonl" ? PARTS.flatMap((part) => datesIn(folder, part, format)) : [];
    await writeFileAtomic(join(folder, "README.md"), datasetCard({ ...facts, reasons, asJson }));
    await writeJsonAtomic(join(folder, "croissant.json"), croissantDescription(facts));
    return manifest;
  }
  return writeFolderAtomic(home.datasetFolder("new"), fill, ({ datasetHash }) => home.datasetFolder(datasetHash));
}

/**
 * Renders a selection without writing it, and returns what a dataset of it would count.
 * Throws: as `writeDataset`.
 */
export async function previewDataset(options: DatasetOptions): Promise<DatasetManifest["counts"]> {
  const format = await checkedFormat(options);
  const counting = rowCounts(options.origin.tier, options.renderer !== null);
  for await (const row of renderedRows(options.selection, renderSettings(format, options))) counting.add(row);
  return countsOf(counting, options, format);
}

function datesIn(folder: string, part: Part, { extension, columns }: DatasetFormat): string[] {
  return dateColumns(join(folder, `${part}.${extension}`), columns);
}

function checkedFormat({ format, origin, renderer }: DatasetOptions): Promise<DatasetFormat> {
  return formatFor(format, { tier: origin.tier, hasBase: renderer !== null });
}

/** Throws: as `writeDataset`, before the files are completed. */
async function writeRows(folder: string, format: DatasetFormat, options: DatasetOptions) {
  const { tier } = options.origin;
  const counting = rowCounts(tier, options.renderer !== null);
  const hasTokens = options.renderer !== null && tier !== "prompts" && tier !== "reranker-pairs";
  const files = await createPartFiles(folder, { format, tier, hasTokens });
  const duplicates = await createLineFile(join(folder, DUPLICATES_FILE));
  try {
    for await (const row of renderedRows(options.selection, renderSettings(format, options))) {
      for (const file of files) if (file.part === null || file.part === row.part) await file.add(row);
      counting.add(row);
    }
    countsOf(counting, options, format);
    for (const file of files) await file.finish();
    for (const duplicate of options.selection.duplicates) await duplicates.write(JSON.stringify(duplicate));
  } finally {
    for (const file of [...files, duplicates]) await file.close();
  }
  return { counting, files };
}

function renderSettings(format: DatasetFormat, { renderer, origin }: DatasetOptions): RenderSettings {
  return { format, tier: origin.tier, renderer, maxTokens: origin.settings.maxTokens };
}

function rowsOf({ trainRows, validationRows }: DatasetManifest["counts"], part: PartFile["part"]): number {
  if (part === null) return trainRows + validationRows;
  return part === "train" ? trainRows : validationRows;
}

function describedFiles(folder: string, files: readonly { path: string; rows: number }[]) {
  return Promise.all(files.map(async ({ path, rows }) => ({ path, hash: await hashFile(join(folder, path)), rows })));
}

function countsOf(counting: RowCounts, options: DatasetOptions, format: DatasetFormat): DatasetManifest["counts"] {
  const { selection, minRows } = options;
  const counts = { examples: selection.examples, ...counting.counts() };
  if (counts.trainRows < minRows) throw tooFewRows(counts, options, format);
  const { labels } = counting.composition();
  if (labels !== null && (labels.good === 0 || labels.bad === 0)) throw oneLabelAlone(labels, selection);
  return counts;
}

function tooFewRows(counts: DatasetManifest["counts"], options: DatasetOptions, format: DatasetFormat): Refusal {
  const { selection, minRows } = options;
  const { examples } = counts;
  const took = takenBy(selection);
  if (counts.validationRows > 0) took.push(`${counts.validationRows} of validation families`);
  const isEmpty = counts.trainRows === 0;
  const left = isEmpty ? "" : `${counted(counts.trainRows, "training row")} of `;
  return new Refusal({
    code: isEmpty ? "EMPTY_SELECTION" : "TOO_FEW_ROWS",
    message: isEmpty ? "No example is left to train on." : "Fewer examples are left to train on than were asked for.",
    expected: `at least ${minRows} of train families that ${minRows === 1 ? "passes" : "pass"} the filter and every integrity filter`,
    got:
      examples === 0
        ? "no example of this role in these runs"
        : `${left}${counted(examples, "example")}; ${took.join("; ")}${clausesText(selection)}`,
    fix: wayToMore(options, format),
  });
}

function wayToMore({ selection, origin, base }: DatasetOptions, format: DatasetFormat): string {
  const reasons = new Set<string>(selection.refusals.counts().map(({ reason }) => reason));
  const isUnshown = OF_TEMPLATE.some((reason) => reasons.has(reason));
  const isLimited = reasons.has("too-long") && (origin.settings.maxTokens ?? 0) < (base?.contextTokens ?? 0);
  const isUnsaid = format.reasons.some((reason) => reasons.has(reason));
  const isCapped = reasons.has("too-long") && reasons.has("over-item-cap");
  return [
    ...(isUnshown ? ["name a `--base` whose template shows all of such rows, or `--base none` for texts alone"] : []),
    ...(isUnsaid ? ["choose a `--format` that can say such rows (docs/datasets.md)"] : []),
    "loosen `--filter`",
    ...(reasons.has("revoked-verdict")
      ? ["let a verifier that is not revoked judge again: `tracemill reverify --skill SKILL`"]
      : []),
    ...(reasons.has("hosted-model") ? ["name the model by `--allow-teacher` if its terms let you"] : []),
    ...(isLimited ? ["raise `--max-tokens`"] : []),
    ...(isCapped ? ["raise `--max-per-item`, as shorter rows may be among those over it"] : []),
    "or collect more: `tracemill run`",
  ].join(", ");
}

/** What judged answers teach is the difference between two labels. */
function oneLabelAlone({ good }: { good: number }, selection: Selection): Refusal {
  const label = good === 0 ? "bad" : "good";
  return new Refusal({
    code: "ONE_LABEL_ALONE",
    message: `Every answer that is left to train on is ${label}.`,
    expected: "good and bad answers of train families",
    got: `${label} ones alone; ${takenBy(selection).join("; ")}`,
    fix: good === 0 ? "loosen `--filter`, or collect more: `tracemill run`" : "--tier demonstrations --format jsonl",
  });
}

function takenBy({ refusals }: Selection): string[] {
  return refusals
    .counts()
    .map(({ reason, count, examples: [turn] }) => `${reason} ${count}${turn === undefined ? "" : ` (as ${turn})`}`);
}

/** Where the filter has several clauses, what each of them took. */
function clausesText({ clauses }: Selection): string {
  if (clauses.length < 2) return "";
  return `; of the filter ${clauses.map(({ clause, count }) => `${clause} took ${count}`).join(", ")}`;
}

function completeManifest(
  { origin, format, base, renderer, selection }: DatasetOptions,
  composed: Pick<DatasetManifest, "counts"> & Composition,
  files: DatasetManifest["files"],
): DatasetManifest {
  const { scrub } = selection;
  const manifest = {
    clauses: selection.clauses,
    scrub: { on: scrub.reason === null, reason: scrub.reason, counts: scrub.counts() },
    ...origin,
    format,
    base: base?.name ?? null,
    tokenizerHash: renderer?.tokenizerHash ?? null,
    templateHash: renderer?.templateHash ?? null,
    ...composed,
    files,
    refusals: selection.refusals.counts(),
  };
  return { datasetHash: hashJson(manifest), ...manifest };
}
