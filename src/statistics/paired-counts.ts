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
  const count = (treatment: boolean, reference: boolean) =>
    pairs.filter((pair) => pair.treatment === treatment && pair.reference === reference).length;
  return {
    both: count(true, true),
    onlyTreatment: count(true, false),
    onlyReference: count(false, true),
    neither: count(false, false),
  };
}

/** Number of pairs in a table. */
export function pairsIn(counts: PairedCounts): number {
  return counts.both + counts.onlyTreatment + counts.onlyReference + counts.neither;
}
