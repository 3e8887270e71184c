/** How a run that may still grow comes to its end, by the command that began it. */
import type { RunSummary } from "../store/runs.ts";

/** Returns the command: a recorded run is said to be over, one of tracemill's own is gone on with. */
export function wayToSeal({ run, command }: Pick<RunSummary, "run" | "command">): string {
  return command === "record" ? `tracemill seal ${run}` : `tracemill run --resume ${run}`;
}
