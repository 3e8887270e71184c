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
  for (let k = 0; k < resamples; k++) {
    for (let i = 0; i < families; i++) {
      const family = Math.floor(draws.next() * families);
      for (let c = 0; c < columns.length; c++) {
        (totals[c] as Float64Array)[k] = ((totals[c] as Float64Array)[k] as number) + (columns[c]?.[family] as number);
      }
    }
  }
  return totals;
}

/** Quantile of sorted values, linear between order statistics (type 7 of Hyndman and Fan 1996). */
export function sortedQuantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
