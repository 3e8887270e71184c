/**
 * An interval without a formula for its spread: draw the families again, with replacement, many times.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { RESAMPLES, resampledTotals, sortedQuantile } from "./resampling.ts";

/**
 * Bias-corrected and accelerated (BCa) bootstrap interval of the mean difference over all items, resampling whole
 * families; null below two. It is shown beside the t interval and never decides: with few families it covers too little.
 * Shapes: `families` as in `pairedDifference`.
 * Source: Efron 1987, JASA 82:171, section 3; the acceleration by the jackknife over families, Davison and Hinkley 1997,
 * section 5.3.2.
 */
export function bootstrapInterval(
  families: readonly (readonly number[])[],
  { alpha, seed, resamples = RESAMPLES }: { alpha: number; seed: number; resamples?: number },
): Interval | null {
  if (families.length < 2) return null;
  const sums = Float64Array.from(families, (items) => sumOf(items));
  const sizes = Float64Array.from(families, (items) => items.length);
  const estimate = sumOf(sums) / sumOf(sizes);
  const [drawnSums, drawnSizes] = resampledTotals([sums, sizes], { seed, resamples }) as [Float64Array, Float64Array];
  const means = drawnSums.map((sum, k) => sum / (drawnSizes[k] as number)).sort();
  const bias = biasOf(means, estimate);
  if (bias === null) return { low: estimate, high: estimate };
  const acceleration = accelerationOf(sums, sizes);
  const at = (p: number) => {
    const z = bias + normalQuantile(p);
    return sortedQuantile(means, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return { low: at(alpha / 2), high: at(1 - alpha / 2) };
}

/** How far the estimate is from the resamples' median, in standard deviations; null where all of them lie on one side. */
function biasOf(sorted: Float64Array, estimate: number): number | null {
  let below = 0;
  let equal = 0;
  for (const mean of sorted) {
    if (mean < estimate) below += 1;
    else if (mean === estimate) equal += 1;
  }
  const share = (below + equal / 2) / sorted.length;
  return share <= 0 || share >= 1 || equal === sorted.length ? null : normalQuantile(share);
}

function accelerationOf(sums: Float64Array, sizes: Float64Array): number {
  const [sum, size] = [sumOf(sums), sumOf(sizes)];
  const left = sums.map((one, i) => (sum - one) / (size - (sizes[i] as number)));
  const mean = sumOf(left) / left.length;
  const squares = sumOf(left, (value) => (mean - value) ** 2);
  const cubes = sumOf(left, (value) => (mean - value) ** 3);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
