/**
 * Drawing the families again, with replacement, many times: the engine of every bootstrap here. It knows nothing of what
 * the sums mean.
 */
import { random } from "../foundation/random.ts";

export const RESAMPLES = 10_000;

/**
 * Returns, for each of several columns of family sums, their totals over each resample; all columns share the draws.
 * Shapes: each column has one number a family; each result one number a resample.
 */
export function resampledTotals(
  columns: readonly Float64Array[],
  { seed, resamples }: { seed: number; resamples: number },
): Float64Array[] {
  const families = columns[0]?.length ?? 0;
  const totals = columns.map(() => new Float64Array(resamples));
  const draws = random(seed, "bootstrap");
  const drawn = new Int32Array(families);
  for (let k = 0; k < resamples; k++) {
    for (let i = 0; i < families; i++) drawn[i] = Math.floor(draws.next() * families);
    for (const [c, column] of columns.entries()) (totals[c] as Float64Array)[k] = totalOf(column, drawn);
  }
  return totals;
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
