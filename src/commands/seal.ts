/**
 * `tracemill seal`: says that a recorded run is over, so that its data can be used.
 */
import { z } from "zod";
import { type SealedRecording, sealLeftRun } from "../capture/index.ts";
import type { RunId } from "../records/ids.ts";
import { defineCommand } from "./command.ts";
import { sealedText } from "./record.ts";

const input = z.object({ run: z.string().describe("the run, as `tracemill runs` lists it") });

export default defineCommand<z.infer<typeof input>, SealedRecording>({
  summary: "Seal a recorded run: nothing is added to it any more, and its data can be used.",
  details: `Example: tracemill seal 20261126-154210-7f3a

A run that is being recorded is sealed by its proxy: POST http://127.0.0.1:8643/r/RUN/finish`,
  input,
  positional: ["run"],
  run: ({ run }, { home, clock }) => sealLeftRun({ home, clock }, run as RunId),
  print: sealedText,
});
