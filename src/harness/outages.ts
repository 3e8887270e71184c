/**
 * When an endpoint or an environment counts as gone: after a few attempts in a row that it ended. The run then stops, and
 * whoever resumes it goes on where it was.
 */
import type { Architect } from "./architect.ts";
import { isLost, type Outcome } from "./attempt.ts";
import type { ItemWork } from "./run-state.ts";

/** Calls given up one after another from which on the endpoint counts as gone. */
const OUTAGE_CALLS = 3;
/** Environments broken one after another from which on there is no use in going on. */
const OUTAGE_BREAKS = 3;

export interface OutageRow {
  note(outcome: Outcome): void;
  /** Whether the endpoint counts as gone. */
  isOutage(): boolean;
}

/** Stops the run when too many attempts in a row were lost, or broken off by their environment. */
export function outagesInARow(stop: AbortController): OutageRow {
  let lost = 0;
  let broken = 0;
  return {
    note(outcome) {
      lost = outcome === "lost" ? lost + 1 : 0;
      broken = outcome === "broken" ? broken + 1 : 0;
      if (lost >= OUTAGE_CALLS || broken >= OUTAGE_BREAKS) stop.abort();
    },
    isOutage: () => lost >= OUTAGE_CALLS,
  };
}

/** Asks the architect again where its endpoint gives no answer, until the run stops: null, and the items stay as they are. */
export async function pickDespite(
  row: OutageRow,
  { architect, open, signal }: { architect: Architect; open: readonly [ItemWork, ...ItemWork[]]; signal: AbortSignal },
): Promise<ItemWork | null> {
  while (!signal.aborted) {
    try {
      return await architect.pick(open);
    } catch (error) {
      if (!isLost(error, signal)) throw error;
      row.note("lost");
    }
  }
  return null;
}
