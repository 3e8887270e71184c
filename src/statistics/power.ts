/**
 * What a paired design can see, from the spread over families that was observed. (The textbook formula, from the share
 * of pairs that differ, takes items for independent and promises too much where families rise and fall together.)
 */
import { hasSpread, type PairedDifference } from "./paired-difference.ts";
import { studentTQuantile } from "./student-t.ts";

export const POWER = 0.8;

/**
 * Smallest true difference that the cluster-robust t interval would separate from 0 with 80 % power, at the
 * standard error that was observed; null where there is none, or where no family differs and so nothing is known.
 * Units: a fraction.
 * Source: Bloom 1995, Evaluation Review 19:547: (t of 1 - alpha/2 + t of power) standard errors.
 */
export function minimumDetectable(estimate: PairedDifference, alpha: number): number | null {
  const { standardError, families } = estimate;
  if (standardError === null || !hasSpread(estimate)) return null;
  const df = families - 1;
  return (studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df)) * standardError;
}

/**
 * Items that would show a true difference with 80 % power, were there more of the same kind: more families, each of
 * the same size. The standard error shrinks with the root of their number.
 * Units: `n` items gave `detectable`; fractions.
 */
export function requiredItems(difference: number, { n, detectable }: { n: number; detectable: number }): number {
  return Math.ceil(n * (detectable / difference) ** 2);
}
