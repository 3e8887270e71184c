/**
 * What an export tells people: how many examples there were, who took which, and what was written where.
 */
import { counted } from "../foundation/counted.ts";
import { shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import type { ExportPreview, ExportResult, Taken } from "./export-result.ts";

/** Writes a result as text; with `explain` up to three examples of every refusal. */
export function printedExport(result: (ExportPreview | ExportResult) & { explain: boolean }): string {
  const { counts, runs, unsealedRuns, missingRuns, rowsByUnit } = result;
  return [
    result.explain ? explainedTable({ ...result, examples: counts.examples }, lastRows(counts)) : summed(result),
    `${counted(counts.items, "item")}; the training rows are of ${counted(counts.families.length, "family", "families")}${tokensText(counts)}`,
    ...Object.entries(rowsByUnit ?? {}).map(
      ([unit, rows]) => `unit ${unit}: ${counted(rows, "training row")} within the limit of tokens`,
    ),
    `from ${counted(runs.length, "run")}`,
    ...(unsealedRuns.length > 0 ? [`left out, as not sealed: ${unsealedRuns.join(", ")}`] : []),
    ...(missingRuns.length > 0 ? [`left out, as the log is gone: ${missingRuns.join(", ")}`] : []),
    ...("folder" in result
      ? [`dataset ${shortHash(result.datasetHash)}: ${result.folder}`]
      : ["dry run: nothing was written"]),
    ...("folder" in result && result.out !== null ? [`training rows: ${result.out}`] : []),
    ...("folder" in result && result.dateColumns.length > 0
      ? [
          `read alone, the dates in ${result.dateColumns.join(", ")} become times in Hugging Face's loader: load the dataset's folder instead`,
        ]
      : []),
  ].join("\n");
}

function summed({ counts, refusals }: ExportPreview): string {
  return textTable(
    ["", "count", ""],
    [
      ["examples", String(counts.examples), ""],
      ...refusals.map(({ reason, count, examples }) => [
        `- ${reason}`,
        String(count),
        examples[0] === undefined ? "" : `such as ${examples[0]}`,
      ]),
      ...lastRows(counts),
    ],
    100,
  );
}

/** Writes up to three examples of what each clause of the filter and each gate left out, and then the rows that are left. */
export function explainedTable({ examples: all, clauses, refusals }: Taken, left: string[][] = []): string {
  const ofClauses = clauses.map(({ clause, ...rest }) => ({ name: `- filter: ${clause}`, ...rest }));
  const ofGates = refusals
    .filter(({ reason }) => reason !== "filter")
    .map(({ reason, ...rest }) => ({ name: `- ${reason}`, ...rest }));
  const rows = [...ofClauses, ...ofGates].flatMap(({ name, count, examples }) => [
    [name, String(count), examples[0] ?? ""],
    ...examples.slice(1).map((example) => ["", "", example]),
  ]);
  return textTable(["", "count", "such as"], [["examples", String(all), ""], ...rows, ...left], 160);
}

function lastRows(counts: ExportPreview["counts"]): string[][] {
  return [
    ["= train rows", String(counts.trainRows), ""],
    ["= validation rows", String(counts.validationRows), ""],
  ];
}

function tokensText({ trainTokens, trainedTokens }: ExportPreview["counts"]): string {
  return trainTokens === null ? "" : ` and have ${trainTokens} tokens, ${trainedTokens} of them under the loss`;
}
