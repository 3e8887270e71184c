/**
 * What was judged since the last sound state of a workspace whose states last: where the environment turns out broken,
 * any of it may be wrong. Counted the same way from a log that is written and from one that is read again.
 */
import type { RunEvent } from "../records/events.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Verdict } from "../records/verdict.ts";

export interface SinceKept {
  verdicts: Map<AttemptId, Verdict>;
  /** The attempt that kept the last state; its own verdict, which comes behind it, is covered by that state. */
  keptBy: AttemptId | null;
  /** In isolated mode each attempt begins at the baseline, and nothing is counted. */
  isCounted: boolean;
}

/** The count of a run of whose log nothing was read. */
export function nothingKept(): SinceKept {
  return { verdicts: new Map(), keptBy: null, isCounted: false };
}

/** Takes one event into the count. */
export function foldSinceKept(since: SinceKept, event: RunEvent): void {
  if (event.type === "run_started") since.isCounted = event.data.config.mode === "progress";
  if (!since.isCounted) return;
  if (event.type === "checkpoint") since.keptBy = event.data.attempt;
  if (event.type !== "verdict" || event.data.verdict.signalType === "judgment") return;
  const { attempt, verdict } = event.data;
  if (attempt === since.keptBy) since.verdicts.clear();
  else since.verdicts.set(attempt, verdict);
}
