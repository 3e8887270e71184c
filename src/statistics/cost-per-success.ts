/**
 * What a solved item costs: all that was spent, on the unsolved items too, over the items that were solved.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { agreeingInterval, unseenShare } from "./agreeing-items.ts";
import { hasSpread } from "./paired-difference.ts";
import { RESAMPLES, resampledTotals, sortedQuantile } from "./resampling.ts";
import { studentTQuantile } from "./student-t.ts";

/** One item's amounts and outcomes in the two arms. Units: of one run, the mean where there were several; `solved` in [0, 1]. */
export interface PairedCost {
  reference: { spent: number; solved: number };
  treatment: { spent: number; solved: number };
}

/**
 * Ratio of the treatment's cost of a solved item to the reference's; null where an arm solved nothing or spent nothing.
 * The interval is a t interval (families - 1 degrees of freedom) of its logarithm, from what each family adds to it to first
 * order; null below two families, and where it reaches beyond every number, as so few families can leave it. Where no family adds anything it is as wide as the items solved leave open
 * (`agreeingInterval`, of the logarithm), since agreement of a few is no certainty.
 * Shapes: `families` has one entry per family, each holding its items.
 * Source: Cochran 1977, Sampling Techniques, section 6.3, for the product of two ratios, over clusters with the factor
 * G / (G - 1).
 */
export function costRatio(
  families: readonly (readonly PairedCost[])[],
  alpha: number,
): { ratio: number; interval: Interval | null } | null {
  const columns = columnsOf(families);
  const sums = columns.map((values) => sumOf(values));
  if (sums.includes(0)) return null;
  const ratio = ratioOf(sums);
  const count = families.length;
  if (count < 2) return { ratio, interval: null };
  const shares = columns.map((values, c) => values.map((value) => value / (sums[c] as number)));
  const [spentT, solvedT, spentR, solvedR] = shares as [Float64Array, Float64Array, Float64Array, Float64Array];
  const added = spentT.map((one, g) => one - at(solvedT, g) - (at(spentR, g) - at(solvedR, g)));
  const squares = sumOf(added, (one) => one ** 2);
  if (!hasSpread({ standardError: Math.sqrt(squares) })) {
    const n = Math.max(1, Math.min(sums[1] as number, sums[3] as number));
    const { low, high } = agreeingInterval(Math.log(ratio), { n, alpha });
    return { ratio, interval: { low: Math.exp(low), high: Math.exp(high) } };
  }
  const half = studentTQuantile(1 - alpha / 2, count - 1) * Math.sqrt((squares * count) / (count - 1));
  const high = ratio * Math.exp(half);
  return { ratio, interval: Number.isFinite(high) ? { low: ratio * Math.exp(-half), high } : null };
}

/**
 * Upper limit of the same ratio where the reference solved nothing and the treatment did: the reference may solve as large a share
 * of the items as would stay unseen with a chance of alpha / 2, and then a solved one costs it no more than this limit says. Null
 * where the reference solved something or spent nothing, or the treatment solved nothing.
 * Source: Clopper and Pearson 1934 (`unseenShare`); the treatment's cost is taken as it was seen, which the limit is wide enough for
 * (test/statistics/cost-per-success.test.ts).
 */
export function costLimit(families: readonly (readonly PairedCost[])[], alpha: number): number | null {
  const [spentT = 0, solvedT = 0, spentR = 0, solvedR = 0] = columnsOf(families).map((values) => sumOf(values));
  if (solvedR > 0 || solvedT === 0 || spentR === 0) return null;
  const items = families.flat().length;
  return ratioOf([spentT, solvedT, spentR, items * unseenShare(items, alpha)]);
}

/**
 * A percentile bootstrap interval of the same ratio, drawing whole families again; null below two. It is to be shown, as it
 * covers too little with few families. An end is infinite where resamples have an arm that solves nothing.
 * Source: Davison and Hinkley 1997, section 5.3.1.
 */
export function costBootstrap(
  families: readonly (readonly PairedCost[])[],
  { alpha, seed, resamples = RESAMPLES }: { alpha: number; seed: number; resamples?: number },
): Interval | null {
  if (families.length < 2) return null;
  const totals = resampledTotals(columnsOf(families), { seed, resamples });
  const ratios = Float64Array.from({ length: resamples }, (_, k) => ratioOf(totals.map((one) => at(one, k)))).sort();
  return { low: sortedQuantile(ratios, alpha / 2), high: sortedQuantile(ratios, 1 - alpha / 2) };
}

/** The families' sums: spent and solved by the treatment, spent and solved by the reference. */
function columnsOf(families: readonly (readonly PairedCost[])[]): Float64Array[] {
  const column = (pick: (cost: PairedCost) => number) => Float64Array.from(families, (items) => sumOf(items, pick));
  return [
    column(({ treatment }) => treatment.spent),
    column(({ treatment }) => treatment.solved),
    column(({ reference }) => reference.spent),
    column(({ reference }) => reference.solved),
  ];
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

/** Infinite where the treatment solves nothing; 1 where neither does, as such a resample favours no arm. */
function ratioOf(totals: readonly number[]): number {
  const [spentT = 0, solvedT = 0, spentR = 0, solvedR = 0] = totals;
  if (solvedT === 0) return solvedR === 0 ? 1 : Number.POSITIVE_INFINITY;
  return solvedR === 0 ? 0 : spentT / solvedT / (spentR / solvedR);
}
