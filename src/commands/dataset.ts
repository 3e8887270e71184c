/**
 * `tracemill dataset`: makes the clean successor of a dataset that holds what was revoked since.
 */
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Taint } from "../records/lineage.ts";
import { openGraph, taintOf } from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import { type Context, defineCommand } from "./command.ts";
import { exportDataset, isTooLittle } from "./export.ts";
import type { ExportResult } from "./export-result.ts";
import { wordsOf } from "./export-settings.ts";

/** Under which reasons an export counts what is revoked, and what nothing judges any more for it. */
const REVOKED = ["revoked", "revoked-verdict"];

export interface RebuiltDataset extends ExportResult {
  replaces: Hash;
  /** What was wrong with the old one; null where it was made again nevertheless. */
  taint: Taint | null;
  /** How many rows the old one had. */
  rowsBefore: number;
}

/**
 * Exports again over the same runs with the same settings, without what is revoked by now. The old dataset stays.
 * Throws: `UNKNOWN_DATASET`; `NOT_TAINTED` unless `isForced`; as `exportDataset`, with what may be done instead.
 */
export async function rebuildDataset(
  { dataset, isForced = false }: { dataset: string; isForced?: boolean },
  place: Pick<Context, "home" | "clock">,
): Promise<RebuiltDataset> {
  const old = await readDatasetManifest(place.home, dataset);
  const taint = await taintIn(place.home, old);
  if (taint === null && !isForced) throw notTainted(old);
  const { skills, inputs, counts, datasetHash } = old;
  const runs = inputs.runs.map(({ run }) => run);
  const words = wordsOf({ ...old, gatesOff: old.gatesOff.filter((gate) => gate !== "revoked") });
  const made = await exportDataset({ ...words, skills, runs, replaces: datasetHash }, place).catch((error: unknown) => {
    throw isTooLittle(error) ? nothingToRebuild(error, skills) : error;
  });
  return { ...made, replaces: datasetHash, taint, rowsBefore: counts.trainRows + counts.validationRows };
}

async function taintIn(home: Home, dataset: DatasetManifest): Promise<Taint | null> {
  const graph = await openGraph(home);
  try {
    return await taintOf(graph, dataset);
  } finally {
    await graph.close();
  }
}

/** An export's way to more is to ask for something else; a successor has the settings and runs of the old one. */
function nothingToRebuild({ details }: Refusal, skills: readonly string[]): Refusal {
  const fix = `collect more, and export it by itself: tracemill export --skills ${skills.join(",")}`;
  return new Refusal({ ...details, fix });
}

function notTainted({ datasetHash }: DatasetManifest): Refusal {
  return new Refusal({
    code: "NOT_TAINTED",
    message: "Nothing of the dataset is revoked, so there is nothing to leave out.",
    expected: "a dataset with rows of what was revoked",
    got: `the dataset ${shortHash(datasetHash)}`,
    fix: "--force makes it again nevertheless",
  });
}

const input = z.object({
  action: z.enum(["rebuild"]).describe("make a tainted dataset again without what is revoked"),
  dataset: z.string().describe("hash of a dataset, or the start of it"),
  force: z.boolean().default(false).describe("also where nothing of it is revoked"),
});

export default defineCommand<z.infer<typeof input>, RebuiltDataset>({
  summary: "Make the clean successor of a dataset that holds what was revoked.",
  details: `Example: tracemill dataset rebuild 3fa1

The successor has the same settings and runs, and its manifest names the dataset that it replaces; that one stays as it is.`,
  positional: ["action", "dataset"],
  input: input as z.ZodType<z.infer<typeof input>>,
  run: ({ dataset, force }, { home, clock }) => rebuildDataset({ dataset, isForced: force }, { home, clock }),
  print: ({ datasetHash, manifest, replaces, folder, taint, rowsBefore, counts, refusals }) => {
    const rows = counts.trainRows + counts.validationRows;
    const left = sumOf(refusals, ({ reason, count }) => (REVOKED.includes(reason) ? count : 0));
    return [
      `dataset ${shortHash(datasetHash)} replaces ${shortHash(replaces)}: ${counted(rows, "row")}, where that has ${rowsBefore}`,
      ...(taint?.by ?? []).map(({ kind, target, reason, rows: of }) =>
        kind === "dataset"
          ? `  with the rows of the revoked dataset, none of which is revoked for it: ${reason}`
          : `  without the ${kind} ${target}${of === null || of === 0 ? "" : `, ${counted(of, "row")}`}: ${reason}`,
      ),
      ...(left === 0 ? [] : [`  left out as revoked: ${left} of ${counted(counts.examples, "example")}`]),
      `  ${folder}`,
      ...(manifest.base === null
        ? []
        : [`  tracemill train --dataset ${shortHash(datasetHash)} --base ${manifest.base}`]),
    ].join("\n");
  },
});
