/** `tracemill datasets`: the datasets that there are, or one of them in full. */
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { shortHash } from "../foundation/hashing.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { listDatasets, readDatasetManifest } from "../store/manifests.ts";
import { defineCommand } from "./command.ts";
import { type Tainted, taintMark, taintsIn } from "./taint.ts";

/** A manifest, and whether it is tainted by now. */
type Marked = DatasetManifest & { taint: Tainted | null };

export default defineCommand({
  summary: "List the datasets, or show one.",
  details: "Example: tracemill datasets 3fa1",
  positional: ["dataset"],
  input: z.object({ dataset: z.string().optional().describe("hash of a dataset, or the start of it") }),
  async run({ dataset }, { home }): Promise<Marked[] | Marked> {
    const { ofDataset } = await taintsIn(home);
    const marked = (one: DatasetManifest) => ({ ...one, taint: ofDataset(one.datasetHash) });
    return dataset === undefined
      ? (await listDatasets(home)).map(marked)
      : marked(await readDatasetManifest(home, dataset));
  },
  print: (result) => (Array.isArray(result) ? listed(result) : JSON.stringify(result, null, 2)),
});

function listed(datasets: readonly Marked[]): string {
  if (datasets.length === 0) return "No dataset yet. Make one: tracemill export --skill sql";
  return datasets
    .map(({ datasetHash, skills, role, format, counts, base, taint }) =>
      `${shortHash(datasetHash)}  ${skills.join("+")} ${role}, ${format}: ${counts.trainRows} train and ${counted(counts.validationRows, "validation row")} of ${counted(counts.items, "item")}, ${base === null ? "without tokens" : `for ${base}`}  ${taintMark(taint)}`.trimEnd(),
    )
    .join("\n");
}
