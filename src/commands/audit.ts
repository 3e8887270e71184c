/** `tracemill audit`: how far a run's labels can be trusted. */
import { z } from "zod";
import { auditLabels, type LabelAudit, runCalled } from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { textTable } from "../foundation/text-table.ts";
import type { RunId } from "../records/ids.ts";
import { withLake } from "../store/lake.ts";
import { coveredRuns } from "../store/ledger.ts";
import { defineCommand } from "./command.ts";
import { passedText } from "./passed-text.ts";
import { wayToSeal } from "./way-to-seal.ts";

const input = z.object({ run: z.string().describe("the run: its id, or another program's own name for it") });

type Result = LabelAudit & {
  /** The run that stands for this one now; null where it stands itself. */
  coveredBy: RunId | null;
};

export default defineCommand<z.infer<typeof input>, Result>({
  summary: "Report how far a run's labels can be trusted, and what leaves out those that cannot.",
  details: "Example: tracemill audit 20261101-120000-3fa1",
  input,
  positional: ["run"],
  async run({ run: name }, { home }) {
    const { run, isSealed, command } = await runCalled(home, name);
    if (!isSealed) {
      throw new Refusal({
        code: "RUN_NOT_SEALED",
        message: `Run ${run} may still grow.`,
        expected: "a sealed run",
        fix: wayToSeal({ run, command }),
      });
    }
    const audit = await withLake(home, (lake) => auditLabels(lake, run));
    return { ...audit, coveredBy: coveredRuns(home).get(run) ?? null };
  },
  print: ({ run, coveredBy, attempts, judged, passed, findings, confidence, verifiers }) => {
    const rows = findings.map(({ what, count, of, examples, leftOutBy }) => [
      what,
      `${count} of ${of}`,
      count === 0 ? "" : leftOutBy,
      examples[0]?.replaceAll(`${run}/`, "") ?? "",
    ]);
    const sure = confidence.map((one) => `${one.confidence ?? "no verdict"}: ${one.attempts}`).join(", ");
    return [
      `Run ${run}: ${counted(attempts, "attempt")}, ${passedText({ attempts, judged, passed })}`,
      ...(coveredBy === null ? [] : [`${coveredBy} stands for it now: exports leave this one out`]),
      textTable(["finding", "count", "left out by", "such as"], rows, 80),
      `verdicts by confidence: ${sure}`,
      `verdicts by verifier:   ${verifiers.map((one) => `${one.verifier}: ${one.attempts}`).join(", ") || "none"}`,
    ].join("\n");
  },
});
