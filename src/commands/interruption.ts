/**
 * How work that stopped early is told: nothing is lost, and the same command goes on.
 */
import { Failure } from "../foundation/errors.ts";

/** Builds the failure of work that stopped before its end; `reason` is the harness's `stoppedBy`. */
export function interrupted(what: string, reason: string | null): Failure {
  const cause = reason === null || reason === "interruption" ? "It was stopped." : `It stopped: ${reason}.`;
  return new Failure({
    boundary: "run",
    code: "STOPPED_EARLY",
    message: `${what} is not finished. ${cause} Nothing recorded is lost; the same command goes on from here.`,
  });
}
