/**
 * `tracemill seal`: says that a recorded run is over, so that its data can be used.
 */
import { z } from "zod";
import { goOn, type SealedRecording, sealRecording } from "../capture/index.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { listRuns } from "../store/run-log.ts";
import { defineCommand } from "./command.ts";
import { sealedText } from "./record.ts";

const input = z.object({ run: z.string().describe("the run, as `tracemill runs` lists it") });

export default defineCommand<z.infer<typeof input>, SealedRecording>({
  summary: "Seal a recorded run: nothing is added to it any more, and its data can be used.",
  details: `Example: tracemill seal 20261126-154210-7f3a

A run that is being recorded is sealed by its proxy: POST http://127.0.0.1:8643/r/RUN/finish`,
  input,
  positional: ["run"],
  async run({ run }, { home, clock }) {
    const runs = await listRuns(home);
    const found = runs.find((one) => one.run === run);
    if (found === undefined) {
      throw unknownName(
        "run",
        run,
        runs.map((one) => one.run),
      );
    }
    if (found.split !== null) throw ownRun(run);
    return sealRecording({ home, clock }, await goOn({ home, clock }, found.run));
  },
  print: sealedText,
});

function ownRun(run: string): Refusal {
  return new Refusal({
    code: "NOT_RECORDED",
    message: `Run ${run} is one of tracemill's own, which seals it when it has finished.`,
    expected: "a run that `tracemill record` began",
    got: run,
    fix: `tracemill run --resume ${run}`,
  });
}
