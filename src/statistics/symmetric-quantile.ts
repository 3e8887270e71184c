/**
 * The quantile of any distribution that is symmetric about 0, found as the root of its distribution function.
 * Bisection needs no derivative and no starting value and ends at the last bit, so a quantile is exactly as good as
 * the function that it inverts. Our own rather than a package: the packages that have this bring dozens more.
 */
import { assert } from "../foundation/errors.ts";

/**
 * Returns the x with `cdf(x) = p`, for a distribution that is symmetric about 0.
 * Shapes: `cdf` is continuous and increasing, with `cdf(0) = 0.5`.
 * Units: `p` is a fraction, strictly between 0 and 1.
 */
export function symmetricQuantile(cdf: (x: number) => number, p: number): number {
  assert(p > 0 && p < 1, `a quantile needs a probability between 0 and 1, got ${p}`);
  if (p > 0.5) return -symmetricQuantile(cdf, 1 - p);
  let low = -1;
  while (cdf(low) > p) low *= 2;
  let high = low === -1 ? 0 : low / 2;
  while (high - low > 4 * Number.EPSILON * Math.abs(low)) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
    if (Math.abs(low) < 1e-15) return 0;
  }
  return (low + high) / 2;
}
