/**
 * `tracemill seal`: says that a recorded run is over, so that its data can be used.
 */
import { z } from "zod";
import { hasRecordedCalls, runCalled, type SealedRecording, sealLeftRun } from "../capture/index.ts";
import { Refusal } from "../foundation/errors.ts";
import type { RunSummary } from "../store/runs.ts";
import { defineCommand } from "./command.ts";
import { readDuration } from "./read-duration.ts";
import { sealedExitCode, sealedText } from "./record.ts";

const input = z.object({
  run: z.string().describe("the run: its id, or the agent's own name for it"),
  verifyCmd: z.string().optional().describe("a command that judges each attempt that nobody did, as that of `record`"),
  verifyTimeout: z.string().default("10m").describe("longest time that this command may take"),
});

export default defineCommand<z.infer<typeof input>, SealedRecording>({
  summary: "Seal a recorded run: nothing is added to it any more, and its data can be used.",
  details: `Example: tracemill seal nightly
         tracemill seal 20261126-154210-7f3a --verify-cmd ./judge.sh

A run that is being recorded is sealed by its proxy: POST http://127.0.0.1:8643/r/RUN/finish`,
  input,
  positional: ["run"],
  async run({ run: name, verifyCmd, verifyTimeout }, { home, clock, signal }) {
    const summary = await runCalled(home, name);
    const { run, isSealed } = summary;
    if (isSealed && verifyCmd !== undefined) throw sealed(summary);
    const timeoutMs = readDuration("verify-timeout", verifyTimeout);
    const verify = verifyCmd === undefined ? null : { command: verifyCmd, timeoutMs, signal };
    return sealLeftRun({ home, clock, run, verify });
  },
  print: sealedText,
  exitCode: sealedExitCode,
});

function sealed(summary: RunSummary): Refusal {
  const { run } = summary;
  return new Refusal({
    code: "RUN_SEALED",
    message: `The run ${run} is sealed: what is said of its attempts now goes into the ledger.`,
    expected: "a run that is not sealed",
    got: run,
    fix: `tracemill label ${run} --verify-cmd CMD${hasRecordedCalls(summary) ? "" : " --repository DIR"}`,
  });
}
