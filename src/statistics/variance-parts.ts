/**
 * Where the spread of a mean comes from when each item is sampled several times: more samples take away only what
 * varies within an item.
 */
import { assert } from "../foundation/errors.ts";
import { meanOf, sumOf } from "../foundation/sums.ts";

/** Variances of one item's score: of its mean over items, and of one sample around its item's mean. */
export interface VarianceParts {
  between: number;
  within: number;
}

/**
 * Splits the variance of paired differences by analysis of variance, unbiased but for a `between` below 0, which is 0.
 * Shapes: one entry per item (>= 2), each with the same number of samples (>= 2).
 * Units: squares of the scores' units.
 * Source: Miller 2024, arXiv:2411.00640, section 3.1; the estimators of Searle, Casella, McCulloch 1992, section 3.5.
 */
export function varianceParts(items: readonly (readonly number[])[]): VarianceParts {
  const samples = items[0]?.length ?? 0;
  assert(items.length >= 2 && samples >= 2, "variance parts need two items of two samples");
  assert(
    items.every(({ length }) => length === samples),
    "every item has as many samples",
  );
  const means = items.map((scores) => meanOf(scores));
  const grand = meanOf(means);
  const ofMeans = sumOf(means, (mean) => (mean - grand) ** 2) / (items.length - 1);
  const squares = items.map((scores, i) => sumOf(scores, (score) => (score - (means[i] as number)) ** 2));
  const within = meanOf(squares) / (samples - 1);
  return { between: Math.max(0, ofMeans - within / samples), within };
}
