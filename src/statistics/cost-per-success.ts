/**
 * What a solved item costs: all that was spent, on the unsolved items too, over the items that were solved.
 */
import type { Interval } from "../records/comparison.ts";
import { RESAMPLES, resampledTotals, sortedQuantile } from "./resampling.ts";

/** One item's amounts and outcomes in the two arms. */
export interface PairedCost {
  reference: { spent: number; solved: number };
  treatment: { spent: number; solved: number };
}

/**
 * Ratio of the treatment's cost of a solved item to the reference's, with a percentile bootstrap interval over families;
 * null where an arm solved nothing or the reference spent nothing. The interval is null below two families; an end of it is
 * infinite where resamples have an arm that solves nothing.
 * Shapes: `families` has one entry per family, each holding its items.
 * Source: Davison and Hinkley 1997, section 5.3.1, resampling whole families.
 */
export function costRatio(
  families: readonly (readonly PairedCost[])[],
  { alpha, seed, resamples = RESAMPLES }: { alpha: number; seed: number; resamples?: number },
): { ratio: number; interval: Interval | null } | null {
  const column = (pick: (cost: PairedCost) => number) =>
    Float64Array.from(families, (items) => items.reduce((sum, cost) => sum + pick(cost), 0));
  const columns = [
    column(({ treatment }) => treatment.spent),
    column(({ treatment }) => treatment.solved),
    column(({ reference }) => reference.spent),
    column(({ reference }) => reference.solved),
  ];
  const ratio = ratioOf(columns.map((values) => values.reduce((sum, value) => sum + value, 0)));
  if (!Number.isFinite(ratio) || ratio === 0) return null;
  if (families.length < 2) return { ratio, interval: null };
  const totals = resampledTotals(columns, { seed, resamples });
  const ratios = Float64Array.from({ length: resamples }, (_, k) => ratioOf(totals.map((one) => one[k] as number)));
  ratios.sort();
  return { ratio, interval: { low: sortedQuantile(ratios, alpha / 2), high: sortedQuantile(ratios, 1 - alpha / 2) } };
}

/** Infinite where the treatment solves nothing; 1 where neither does, as such a resample favours no arm. */
function ratioOf(totals: readonly number[]): number {
  const [spentT = 0, solvedT = 0, spentR = 0, solvedR = 0] = totals;
  if (solvedT === 0) return solvedR === 0 ? 1 : Number.POSITIVE_INFINITY;
  return solvedR === 0 ? 0 : spentT / solvedT / (spentR / solvedR);
}
