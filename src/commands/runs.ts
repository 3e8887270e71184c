/** `tracemill runs`: the runs that there are, or one of them in full. */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import { listRuns, type RunSummary } from "../store/run-log.ts";
import { defineCommand } from "./command.ts";
import { textTable } from "./text-table.ts";

export default defineCommand({
  summary: "List the runs, or show one.",
  details: "Example: tracemill runs 20261101-120000-3fa1",
  positional: ["run"],
  input: z.object({ run: z.string().optional().describe("id of a run") }),
  async run({ run }, { home }) {
    const runs = await listRuns(home);
    if (run === undefined) return runs;
    const one = runs.find((summary) => summary.run === run);
    if (one === undefined) {
      throw unknownName(
        "run",
        run,
        runs.map((summary) => summary.run),
      );
    }
    return one;
  },
  print: (result) => (Array.isArray(result) ? listed(result) : JSON.stringify(result, null, 2)),
});

function listed(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return "No run yet. Make one: tracemill run --skill sql";
  const rows = runs.map(({ run, skill, split, memory, models, comparison, isSealed, events }) => [
    run,
    skill,
    split ?? "all",
    memory,
    models.worker === undefined ? "" : "rule" in models.worker ? models.worker.rule : models.worker.name,
    comparison === null ? "" : `${shortHash(comparison.comparisonHash)} ${comparison.arm}`,
    String(events),
    isSealed ? "sealed" : "open",
  ]);
  return textTable(["run", "skill", "split", "memory", "worker", "comparison", "events", "state"], rows);
}
