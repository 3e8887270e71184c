/**
 * `tracemill verify`: whether everything that was recorded is as it was written. Names the first broken line of each log.
 */
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import { sumOf } from "../foundation/sums.ts";
import { type LogReport, verifyHome } from "../store/verify.ts";
import { defineCommand } from "./command.ts";

export default defineCommand({
  summary: "Check that no recorded line was changed, lost or added.",
  details: "Reads the ledger and every run log. Exits 2 where one is broken, 3 where a crash left a torn last line.",
  input: z.object({}),
  async run(_, { home, clock, stderr: stream, isJson }) {
    const shown: Progress[] = [];
    const report = await verifyHome(home, {
      onProgress(done, total) {
        if (done === 0) shown.push(startProgress({ title: "verify", total, clock, stream, isJson }));
        shown[0]?.update(done);
      },
    });
    shown[0]?.finish();
    return report;
  },
  print: ({ logs, isSound }) => {
    const lines = logs.map(lineOf);
    const events = sumOf(logs, (log) => log.events);
    const summary = `${counted(logs.length, "log")}, ${counted(events, "line")}: ${isSound ? "nothing was changed" : "NOT as they were written"}`;
    return [...lines, summary].join("\n");
  },
  exitCode: ({ isSound, hasTornTail }) => (isSound ? (hasTornTail ? 3 : 0) : 2),
});

const MEANINGS: Record<LogReport["state"], string> = {
  sealed: "sound, ends where the ledger says",
  open: "sound so far, not sealed",
  torn: "its last line was cut short by a crash; resuming the run mends that",
  broken: "BROKEN",
  missing: "MISSING: the ledger knows this run, but its log is gone",
};

function lineOf({ log, path, state, events, broken }: LogReport): string {
  const meaning = log === "ledger" && state === "open" ? "sound" : MEANINGS[state];
  const place = broken === null ? "" : ` at line ${broken.line}: ${broken.reason}\n    ${path}:${broken.line}`;
  return `${log.padEnd(20)}  ${String(events).padStart(8)} ${events === 1 ? "line " : "lines"}  ${meaning}${place}`;
}
