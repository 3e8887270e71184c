/** How an example that says what another one says is counted and named. */
import type { RefusalTally } from "../records/refusal-tally.ts";
import type { Duplicate } from "../records/selection.ts";

export interface Told {
  refusals: RefusalTally;
  duplicates: Duplicate[];
}

/** Counts a copy under its reason, and names it with the one that stands for it. */
export function refuseCopy({ refusals, duplicates }: Told, copy: Duplicate): void {
  refusals.add(copy.reason, [`${copy.removed} (as ${copy.kept})`]);
  duplicates.push(copy);
}
