/**
 * The score interval of a difference between two paired rates, pairs taken as independent.
 */
import type { Interval } from "../records/comparison.ts";
import { type PairedCounts, pairsIn } from "./paired-counts.ts";
import { wilsonInterval } from "./wilson.ts";

/**
 * Newcombe's square-and-add interval of (treatment rate - reference rate): method 10, with the continuity-corrected
 * correlation. It covers more than it says where few pairs differ, and does not know of families.
 * Shapes: at least one pair.
 * Units: fractions in [-1, 1].
 * Source: Newcombe 1998, Stat Med 17:2635, method 10.
 */
export function newcombeInterval(counts: PairedCounts, alpha: number): Interval {
  const n = pairsIn(counts);
  const treated = counts.both + counts.onlyTreatment;
  const referred = counts.both + counts.onlyReference;
  const difference = (counts.onlyTreatment - counts.onlyReference) / n;
  const treatment = wilsonInterval(treated, n, alpha);
  const reference = wilsonInterval(referred, n, alpha);
  const correlation = correctedCorrelation(counts);
  const distance = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * correlation * x * y + y * y));
  return {
    low: Math.max(-1, difference - distance(treated / n - treatment.low, reference.high - referred / n)),
    high: Math.min(1, difference + distance(treatment.high - treated / n, referred / n - reference.low)),
  };
}

function correctedCorrelation(counts: PairedCounts): number {
  const { both, onlyTreatment, onlyReference, neither } = counts;
  const margins =
    (both + onlyTreatment) * (onlyReference + neither) * (both + onlyReference) * (onlyTreatment + neither);
  if (margins === 0) return 0;
  const excess = both * neither - onlyTreatment * onlyReference;
  return (excess > 0 ? Math.max(excess - pairsIn(counts) / 2, 0) : excess) / Math.sqrt(margins);
}
