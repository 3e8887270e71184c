/**
 * `tracemill revoke`: says that something turned out to be bad, and lists what was made of it.
 */
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { shortHash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import { type RevocationReport, revoke } from "../registry/index.ts";
import { defineCommand } from "./command.ts";
import { taintWord } from "./taint.ts";

const input = z.object({
  target: z
    .string()
    .min(1)
    .describe(
      "id of a run, attempt or tip, a verifier (or a rule that labels) as <id>@<version>, or the hash of a dataset",
    ),
  reason: z.string().describe("why it is not to be relied on"),
  dryRun: z.boolean().default(false).describe("list what it would touch, and write nothing"),
});

export default defineCommand<z.infer<typeof input>, RevocationReport>({
  summary: "Revoke a run, attempt, tip, verifier or dataset, and list what was made of it.",
  details: `Examples:
  tracemill revoke 20261101-120000-3fa1 --reason "the database was empty" --dry-run
  tracemill revoke sql-result-set@1 --reason "took an empty result for a pass"

Later exports leave out what is revoked; nothing is deleted and nothing takes it back. A dataset that was made of it is tainted
until it is made again: tracemill dataset rebuild HASH. A revoked dataset is tainted as a whole; its rows themselves are not. An attempt whose verifier is revoked has the verdict before it.`,
  positional: ["target"],
  input: input as z.ZodType<z.infer<typeof input>>,
  run: ({ target, reason, dryRun }, { home, clock }) => revoke(home, { target, reason, isDryRun: dryRun, clock }),
  print: printed,
});

function printed({ kind, target, reason, ...report }: RevocationReport): string {
  const { isDryRun, wasRevoked, datasets, adapters, written, decisions, savedTips } = report;
  const said = wasRevoked ? "is revoked already" : isDryRun ? "would be revoked" : "is revoked";
  const untouched = datasets.length === 0 && adapters.length === 0 && decisions.length === 0;
  return [
    `The ${kind} ${target} ${said}: ${reason}`,
    ...datasets.map(
      (touched) =>
        `  dataset ${shortHash(touched.datasetHash)}: ${touchedText(touched)}; tracemill dataset rebuild ${shortHash(touched.datasetHash)}`,
    ),
    ...adapters.map(
      (adapter) =>
        `  adapter ${adapterLabel(adapter)}: trained on ${shortHash(adapter.datasetHash)}, ${taintWord(adapter)}`,
    ),
    ...written.map(
      (adapter) => `  adapter ${adapterLabel(adapter)}: learned from rows that ${shortHash(adapter.writer)} wrote`,
    ),
    ...decisions.map(
      ({ comparisonHash, adapterHash, verdict }) =>
        `  decision ${shortHash(comparisonHash)}: ${verdict ?? "changed since"}, on ${adapterHash === null ? "the base alone" : `adapter ${shortHash(adapterHash)}`}`,
    ),
    ...(untouched ? ["  no dataset, adapter or decision is touched"] : []),
    ...(savedTips.length > 0
      ? [
          `  ${counted(savedTips.length, "tip that it saved is", "tips that it saved are")} still read: ${savedTips.slice(0, 5).join(", ")}`,
        ]
      : []),
  ].join("\n");
}

function touchedText({ rows, of, isCertain }: RevocationReport["datasets"][number]): string {
  if (isCertain) return `${rows} of ${counted(of, "row")}`;
  return rows === null
    ? "perhaps, as it does not say what its rows were made from"
    : "perhaps, as its labels may rest on other attempts of its runs";
}
