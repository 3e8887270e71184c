/**
 * `tracemill export`: from the runs of a skill to a dataset. Composes curation and dataset writing; `loop.ts` calls
 * `exportDataset` too.
 */
import { z } from "zod";
import { formatFilter, loadFilters, parseFilter, type SelectionSettings, selectExamples } from "../curate/index.ts";
import {
  checkOut,
  copyTrainRows,
  type DatasetOptions,
  loadFormat,
  previewDataset,
  writeDataset,
} from "../dataset/index.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { RunId } from "../records/ids.ts";
import type { Selection } from "../records/selection.ts";
import { loadRenderer } from "../render/renderer.ts";
import type { Home } from "../store/home.ts";
import { openLake } from "../store/lake.ts";
import { openTexts } from "../store/recorded-texts.ts";
import { type Context, defineCommand } from "./command.ts";
import { answerTexts, checkedRole, chosenBase, chosenRuns, lastBearing, register } from "./export-inputs.ts";
import { textTable } from "./text-table.ts";

const settings = z.object({
  role: z.string().default("worker").describe("whose turns become rows"),
  filter: z
    .string()
    .default("eval_passed=true")
    .describe('comparisons joined by "and", such as "eval_passed=true and confidence>=0.9"'),
  format: z.string().default("jsonl").describe("how rows are written"),
  out: z.string().optional().describe("copy the training rows to this file"),
  base: z.string().optional().describe("whose tokenizer and template render the rows (default: the runs' base)"),
  minRows: z.int().min(1).default(1).describe("refuse a dataset of fewer training rows"),
  maxPerItem: z.int().min(1).default(2).describe("most rows of one item"),
  maxTokens: z.int().min(1).optional().describe("refuse longer rows (default: the base's context)"),
  tips: z.enum(["drop", "keep"]).default("drop").describe("take rendered tips out of the prompts, or leave them in"),
  target: z
    .enum(["answer", "action"])
    .default("answer")
    .describe("train on the recorded answer, or on the verified action in the skill's own form"),
  seed: z.int().default(1).describe("decides the order of the rows"),
});

/** What is left out takes the command's default; `runs` left out are all sealed ones that are not held out. */
export type ExportOptions = z.input<typeof settings> & {
  skills: string[];
  runs?: string[] | undefined;
  /** The dataset that this one is the clean successor of. */
  replaces?: Hash;
};

export interface ExportPreview {
  counts: DatasetManifest["counts"];
  refusals: DatasetManifest["refusals"];
  runs: RunId[];
  /** Runs of the skills that were left out because they are not sealed. */
  unsealedRuns: RunId[];
  /** Sealed runs of the skills that were left out because their log is gone. */
  missingRuns: RunId[];
}

export interface ExportResult extends ExportPreview {
  datasetHash: Hash;
  folder: string;
  manifest: DatasetManifest;
  out: string | null;
}

type Place = Pick<Context, "home" | "clock">;

/**
 * Builds a dataset from verified runs, registers it, and returns what was taken and what was refused.
 * Throws: refusals for every name that is not known, `EMPTY_SELECTION`, `TOO_FEW_ROWS`, `OUT_NOT_WRITABLE`, and those of the stages.
 */
export async function exportDataset(options: ExportOptions, { home, clock }: Place): Promise<ExportResult> {
  const { out } = options;
  if (out !== undefined) await checkOut(out);
  return withSelection(options, home, async (dataset, runs) => {
    const manifest = await writeDataset(home, dataset);
    await register(home, manifest.datasetHash, clock);
    if (out !== undefined) await copyTrainRows(home, manifest, out);
    const { datasetHash, counts, refusals } = manifest;
    const folder = home.datasetFolder(datasetHash);
    return { datasetHash, folder, manifest, out: out ?? null, counts, refusals, ...runs };
  });
}

/** Returns the counts that `exportDataset` would give, and writes nothing. Throws: as `exportDataset`. */
export async function previewExport(options: ExportOptions, { home }: Pick<Place, "home">): Promise<ExportPreview> {
  return withSelection(options, home, async (dataset, runs) => {
    const counts = await previewDataset(dataset);
    return { counts, refusals: dataset.selection.refusals.counts(), ...runs };
  });
}

async function withSelection<T>(
  options: ExportOptions,
  home: Home,
  use: (dataset: DatasetOptions, runs: Pick<ExportPreview, "runs" | "unsealedRuns" | "missingRuns">) => Promise<T>,
): Promise<T> {
  const { skills } = options;
  const { format, seed, tips, target, minRows, maxPerItem, ...asked } = settings.parse(options);
  const role = checkedRole(asked.role);
  const filter = parseFilter(asked.filter);
  await loadFormat(format);
  const { runs, unsealed, missing } = await chosenRuns(home, skills, options.runs);
  const base = await chosenBase(home, runs, asked.base);
  const answerText = target === "action" ? await answerTexts(skills) : null;
  const scope = { role, skills, runs: runs.map(({ run }) => run), filter };
  const selection = await selectFrom(home, { ...scope, tips, answerText, maxPerItem, seed });
  try {
    const renderer = await loadRenderer(home, base); // not before: its vocabulary would make room scarce for the selection
    const origin = {
      skills,
      role,
      filter: formatFilter(filter),
      settings: { tips, target, maxPerItem, maxTokens: asked.maxTokens ?? base.contextTokens },
      inputs: { runs: runs.map(({ run, head }) => ({ run, head })), ledgerHead: await lastBearing(home, runs, tips) },
      seed,
      codeVersion: CODE_VERSION,
      ...(options.replaces !== undefined && { replaces: options.replaces }),
    };
    const reasons = new Map((await loadFilters()).map(({ reason, filter: { summary } }) => [reason, summary]));
    return await use(
      { selection, origin, format, base, renderer, minRows, reasons },
      { runs: scope.runs, unsealedRuns: unsealed, missingRuns: missing },
    );
  } finally {
    selection.close();
  }
}

async function selectFrom(home: Home, settings: SelectionSettings): Promise<Selection> {
  const lake = await openLake(home);
  const texts = openTexts(home);
  try {
    return await selectExamples({ lake, texts, spillFolder: home.lake }, settings);
  } finally {
    texts.close();
    lake.close();
  }
}

export default defineCommand({
  summary: "Build a dataset from verified runs.",
  details:
    "Example: tracemill export --role worker --skill sql --filter eval_passed=true --format jsonl --out worker_sft.jsonl",
  input: settings.extend({
    skill: z.string().describe("the skill whose runs are read"),
    runs: z.string().optional().describe("these runs only, separated by commas (default: all sealed ones)"),
    dryRun: z.boolean().default(false).describe("print the counts and write nothing"),
  }),
  async run({ skill, runs, dryRun, ...rest }, context): Promise<ExportPreview | ExportResult> {
    const options = { ...rest, skills: [skill], runs: runs?.split(",").map((run) => run.trim()) };
    return dryRun ? previewExport(options, context) : exportDataset(options, context);
  },
  print: printed,
});

function printed(result: ExportPreview | ExportResult): string {
  const { counts, refusals, runs, unsealedRuns, missingRuns } = result;
  const rows = [
    ["examples", String(counts.examples), `of ${runs.length} ${runs.length === 1 ? "run" : "runs"}`],
    ...refusals.map(({ reason, count, examples }) => [`- ${reason}`, String(count), `such as ${examples[0] ?? ""}`]),
    ["= train rows", String(counts.trainRows), ""],
    ["= validation rows", String(counts.validationRows), ""],
  ];
  return [
    textTable(["", "count", ""], rows, 100),
    `${counts.items} items; the training rows are of ${counts.families.length} families and have ${counts.trainTokens} tokens, ${counts.trainedTokens} of them under the loss`,
    ...(unsealedRuns.length > 0 ? [`left out, as not sealed: ${unsealedRuns.join(", ")}`] : []),
    ...(missingRuns.length > 0 ? [`left out, as the log is gone: ${missingRuns.join(", ")}`] : []),
    ...("folder" in result
      ? [`dataset ${shortHash(result.datasetHash)}: ${result.folder}`]
      : ["dry run: nothing was written"]),
    ...("folder" in result && result.out !== null ? [`training rows: ${result.out}`] : []),
  ].join("\n");
}
