/**
 * `tracemill export`: from the runs of a skill to a dataset. Composes curation and dataset writing; `loop.ts` calls
 * `exportDataset` too.
 */
import { z } from "zod";
import { loadFilters, OTHER_REASONS } from "../curate/index.ts";
import { checkOut, copyTrainRows, type DatasetOptions, previewDataset, writeDataset } from "../dataset/index.ts";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { tell } from "../foundation/progress.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { loadRenderer } from "../render/renderer.ts";
import { type Context, defineCommand } from "./command.ts";
import { chosenSkills, lastBearing, refuseRevoked, register } from "./export-inputs.ts";
import { exportPlan, takesWholeAttempts, tierOf } from "./export-plan.ts";
import { explainedTable, printedExport } from "./export-report.ts";
import type { ExportOptions, ExportPreview, ExportResult, Taken } from "./export-result.ts";
import { commaList, exportSettings } from "./export-settings.ts";

/** What is left of the rows is no dataset. */
const TOO_LITTLE = ["EMPTY_SELECTION", "TOO_FEW_ROWS", "ONE_LABEL_ALONE"];

interface Place extends Pick<Context, "home" | "clock"> {
  /** Told who took what, before too few rows are refused. */
  explain?: ((taken: Taken) => void) | undefined;
}

/**
 * Builds a dataset from verified runs, registers it, and returns what was taken and what was refused.
 * Throws: refusals for every name that is not known, `EMPTY_SELECTION`, `TOO_FEW_ROWS`, `ONE_LABEL_ALONE`, `OUT_NOT_WRITABLE`, and those of the stages.
 */
export async function exportDataset(options: ExportOptions, { home, clock, explain }: Place): Promise<ExportResult> {
  const { out } = options;
  if (out !== undefined) await checkOut(home, out);
  return withSelection(options, { home, explain }, async (dataset, runs) => {
    const manifest = await writeDataset(home, dataset);
    await register(home, manifest.datasetHash, clock);
    const dateColumns = out === undefined ? [] : await copyTrainRows(home, manifest, out);
    const { datasetHash, counts, refusals, clauses } = manifest;
    const folder = home.datasetFolder(datasetHash);
    return { datasetHash, folder, manifest, out: out ?? null, dateColumns, counts, clauses, refusals, ...runs };
  });
}

/** Returns the counts that `exportDataset` would give, and writes nothing. Throws: as `exportDataset`. */
export async function previewExport(options: ExportOptions, place: Omit<Place, "clock">): Promise<ExportPreview> {
  return withSelection(options, place, async (dataset, runs) => {
    const counts = await previewDataset(dataset);
    const { clauses, refusals } = takenOf(dataset.selection);
    return { counts, clauses, refusals, ...runs };
  });
}

async function withSelection<T>(
  options: ExportOptions,
  { home, explain }: Omit<Place, "clock">,
  use: (dataset: DatasetOptions, runs: Pick<ExportPreview, "runs" | "unsealedRuns" | "missingRuns">) => Promise<T>,
): Promise<T> {
  const plan = await exportPlan(options, home);
  const { runs, base, settings, role, filterText } = plan;
  const ledgerHead = await lastBearing(home, runs); // first: what is revoked while rows are chosen is revoked later
  const selection = await plan.select();
  try {
    const renderer = base === null ? null : await loadRenderer(home, base); // not before: its vocabulary would make room scarce for the selection
    const origin = {
      skills: options.skills,
      role,
      tier: plan.tier,
      filter: filterText,
      settings,
      gatesOff: plan.gatesOff,
      inputs: {
        runs: runs.map(({ run, head }) => ({ run, head })),
        ledgerHead,
        ...(plan.comparisons.length > 0 && { comparisons: plan.comparisons }),
      },
      seed: plan.seed,
      codeVersion: CODE_VERSION,
      ...(options.replaces !== undefined && { replaces: options.replaces }),
    };
    const ofFilters = (await loadFilters()).map(({ reason, filter: { summary } }) => [reason, summary] as const);
    const reasons = new Map([...Object.entries(OTHER_REASONS), ...ofFilters]);
    return await use(
      { selection, origin, format: plan.format, base, renderer, minRows: plan.minRows, reasons },
      { runs: runs.map(({ run }) => run), unsealedRuns: plan.unsealed, missingRuns: plan.missing },
    );
  } catch (error) {
    if (isTooLittle(error)) explain?.(takenOf(selection));
    throw error;
  } finally {
    selection.close();
  }
}

function takenOf({ examples, clauses, refusals }: DatasetOptions["selection"]): Taken {
  return { examples, clauses, refusals: refusals.counts() };
}

/** Whether an export was refused because what is left is no dataset. */
export function isTooLittle(error: unknown): error is Refusal {
  return error instanceof Refusal && TOO_LITTLE.includes(error.code);
}

/**
 * Returns what `previewExport` does; under a limit of tokens also the rows of either unit, where the tier has both.
 * Throws: as `exportDataset`, then with the rows that the other unit would keep.
 */
export async function previewUnits(options: ExportOptions, place: Omit<Place, "clock">): Promise<ExportPreview> {
  const asked = exportSettings.parse(options);
  if (asked.maxTokens === undefined || !takesWholeAttempts(await tierOf(asked))) return previewExport(options, place);
  const unit = asked.unit === "attempt" ? "turn" : "attempt";
  const keptByOther = () => rowsKept({ ...options, unit, minRows: 1 }, { home: place.home });
  try {
    const preview = await previewExport(options, place);
    return { ...preview, rowsByUnit: { [asked.unit]: preview.counts.trainRows, [unit]: await keptByOther() } };
  } catch (error) {
    if (!isTooLittle(error)) throw error;
    const { got, fix, ...said } = error.details;
    const rows = await keptByOther();
    throw new Refusal({
      ...said,
      got: `${got}; with --unit ${unit} ${counted(rows, "training row")}`,
      fix: rows === 0 ? `${fix}` : `--unit ${unit}, or ${fix}`,
    });
  }
}

/** That none is left is an answer here, and that no dataset can be made of what is. */
async function rowsKept(options: ExportOptions, place: Pick<Place, "home">): Promise<number> {
  try {
    return (await previewExport(options, place)).counts.trainRows;
  } catch (error) {
    if (isTooLittle(error)) return 0;
    throw error;
  }
}

function explainer({ isJson, stdout, stderr }: Context): (taken: Taken) => void {
  return (taken) => {
    if (isJson) tell(stderr, { event: "explained", ...taken });
    else stdout.write(`${explainedTable(taken)}\n`);
  };
}

function noRunNamed(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "--runs names no run.",
    expected: "ids of runs, separated by commas",
    got: "none",
    fix: "tracemill runs lists them; without --runs all sealed ones are read",
  });
}

function skillTwice(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "--skill and --skills say the same thing.",
    expected: "one of them",
    got: "both",
    fix: "--skills NAME,NAME for several",
  });
}

export default defineCommand({
  summary: "Build a dataset from verified runs.",
  details: `Example: tracemill export --role worker --skill sql --filter eval_passed=true --format jsonl --out worker_sft.jsonl
Example: tracemill export --role reflector --skills all --format dpo --out reflector_dpo.jsonl
Example: tracemill export --tier preference-pairs --format dpo --out tip_preferences.jsonl
Example: tracemill export --tier reranker-pairs --format triplets --out tip_triplets.jsonl`,
  input: exportSettings.extend({
    skill: z.string().optional().describe("the skill whose runs are read"),
    skills: z.string().optional().describe('several skills, "all", or "all,-NAME" for all but one (default: all)'),
    runs: z.string().optional().describe("these runs only, separated by commas (default: all sealed ones)"),
    dryRun: z.boolean().default(false).describe("print the counts and write nothing"),
    explain: z.boolean().default(false).describe("name three examples of what each clause and each gate left out"),
  }),
  async run(
    { skill, skills, runs, dryRun, explain, ...rest },
    context,
  ): Promise<(ExportPreview | ExportResult) & { explain: boolean }> {
    if (skill !== undefined && skills !== undefined) throw skillTwice();
    const chosen = await chosenSkills(context.home, skill ?? skills ?? "all");
    const named = runs === undefined ? undefined : commaList(runs);
    if (named?.length === 0) throw noRunNamed();
    if (!commaList(rest.without).includes("revoked")) refuseRevoked(context.home, named ?? []);
    const options = { ...rest, skills: chosen, runs: named };
    const place = { ...context, explain: explain ? explainer(context) : undefined };
    return { ...(dryRun ? await previewUnits(options, place) : await exportDataset(options, place)), explain };
  },
  print: printedExport,
});
