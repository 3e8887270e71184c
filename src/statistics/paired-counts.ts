/**
 * The two-by-two table of paired outcomes: the same items, tried by a reference and by a treatment.
 */
export interface PairedCounts {
  both: number;
  onlyTreatment: number;
  onlyReference: number;
  neither: number;
}

export interface PairedOutcome {
  reference: boolean;
  treatment: boolean;
}

/** Counts the four ways that the pairs came out. */
export function countPairs(pairs: readonly PairedOutcome[]): PairedCounts {
  const counts = noPairs();
  for (const pair of pairs) counts[cellOf(pair)] += 1;
  return counts;
}

/** A table to count pairs in. */
export function noPairs(): PairedCounts {
  return { both: 0, onlyTreatment: 0, onlyReference: 0, neither: 0 };
}

/** Where in the table a pair belongs. */
export function cellOf({ reference, treatment }: PairedOutcome): keyof PairedCounts {
  if (reference === treatment) return treatment ? "both" : "neither";
  return treatment ? "onlyTreatment" : "onlyReference";
}

/** Number of pairs in a table. */
export function pairsIn(counts: PairedCounts): number {
  return counts.both + counts.onlyTreatment + counts.onlyReference + counts.neither;
}
