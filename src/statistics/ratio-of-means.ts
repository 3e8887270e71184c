/**
 * How many times as much one arm spends as the other, on the same items.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { hasSpread } from "./paired-difference.ts";
import { studentTQuantile } from "./student-t.ts";

/** One item's two amounts. */
export interface PairedAmounts {
  reference: number;
  treatment: number;
}

/**
 * Ratio of the treatment's mean amount to the reference's, with a cluster-robust interval; null where either mean is 0.
 * The interval is a t interval (families - 1 degrees of freedom) of the logarithm of the ratio by the delta method,
 * so it is positive and swapping the arms inverts it; null below two families, where no family differs from another, and where
 * it reaches beyond every number, as so few families can leave it.
 * Shapes: `families` has one entry per family, each holding its items' amounts (>= 0).
 * Source: Cochran 1977, Sampling Techniques, section 6.3 (ratio estimator), over clusters with the factor G / (G - 1).
 */
export function ratioOfMeans(
  families: readonly (readonly PairedAmounts[])[],
  alpha: number,
): { ratio: number; interval: Interval | null } | null {
  const totals = families.map((items) => ({
    reference: sumOf(items, (item) => item.reference),
    treatment: sumOf(items, (item) => item.treatment),
  }));
  const reference = sumOf(totals, (family) => family.reference);
  const treatment = sumOf(totals, (family) => family.treatment);
  if (reference === 0 || treatment === 0) return null;
  const ratio = treatment / reference;
  const count = families.length;
  if (count < 2) return { ratio, interval: null };
  const squares = sumOf(totals, (family) => (family.treatment / treatment - family.reference / reference) ** 2);
  if (!hasSpread({ standardError: Math.sqrt(squares) })) return { ratio, interval: null };
  const half = studentTQuantile(1 - alpha / 2, count - 1) * Math.sqrt((squares * count) / (count - 1));
  const high = ratio * Math.exp(half);
  return { ratio, interval: Number.isFinite(high) ? { low: ratio * Math.exp(-half), high } : null };
}
