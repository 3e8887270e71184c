/**
 * Drawing the families again, with replacement, many times: the engine of every bootstrap here. It knows nothing of what
 * the sums mean.
 */
import { random } from "../foundation/random.ts";

export const RESAMPLES = 10_000;
/** So many are drawn in a second, and tell an interval's width to some 3 %. */
const MOST_GROUPS = 3000;

/**
 * Returns, for each of several columns of family sums, their totals over each resample; all columns share the draws. Of more than
 * 3000 families, 3000 groups of them are drawn: as families have nothing to do with each other, the totals spread alike.
 * Shapes: each column has one number a family; each result one number a resample.
 * Source: Wolter 2007, Introduction to Variance Estimation, chapter 2 (random groups).
 */
export function resampledTotals(
  given: readonly Float64Array[],
  { seed, resamples }: { seed: number; resamples: number },
): Float64Array[] {
  const columns = given.map(grouped);
  const groups = columns[0]?.length ?? 0;
  const totals = columns.map(() => new Float64Array(resamples));
  const draws = random(seed, "bootstrap");
  const drawn = new Int32Array(groups);
  for (let k = 0; k < resamples; k++) {
    for (let i = 0; i < groups; i++) drawn[i] = Math.floor(draws.next() * groups);
    for (const [c, column] of columns.entries()) (totals[c] as Float64Array)[k] = totalOf(column, drawn);
  }
  return totals;
}

/** The sums of groups, into which the families are dealt in turn. */
function grouped(column: Float64Array): Float64Array {
  if (column.length <= MOST_GROUPS) return column;
  const sums = new Float64Array(MOST_GROUPS);
  for (const [i, sum] of column.entries()) sums[i % MOST_GROUPS] = (sums[i % MOST_GROUPS] as number) + sum;
  return sums;
}

function totalOf(column: Float64Array, drawn: Int32Array): number {
  let total = 0;
  for (let i = 0; i < drawn.length; i++) total += column[drawn[i] as number] as number;
  return total;
}

/** Quantile of sorted values, linear between order statistics (type 7 of Hyndman and Fan 1996). */
export function sortedQuantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
