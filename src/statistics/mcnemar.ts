/**
 * McNemar's test of paired outcomes: only the pairs that differ tell the arms apart.
 */
import { logGamma } from "./log-gamma.ts";
import type { PairedCounts } from "./paired-counts.ts";

/**
 * Two-sided p-values of "a pair that differs favours either arm equally often": exact, and mid-p, which counts only
 * half the probability of what was seen and is the one to read.
 * Shapes: both are 1 where no pair differs.
 * Source: Fagerland, Lydersen, Laake 2013, BMC Med Res Methodol 13:91, and its supplement for pairs that are split evenly.
 */
export function mcnemar(counts: PairedCounts): { exactP: number; midP: number } {
  const fewer = Math.min(counts.onlyTreatment, counts.onlyReference);
  const differing = counts.onlyTreatment + counts.onlyReference;
  if (differing === 0) return { exactP: 1, midP: 1 };
  const seen = binomialHalf(fewer, differing);
  let below = 0;
  let term = seen;
  for (let k = fewer; k >= 1; k--) {
    term *= k / (differing - k + 1);
    below += term;
  }
  const exactP = Math.min(1, 2 * (below + seen));
  // An even split is as far from one half as nothing else is; any other has its mirror image, which is seen as often.
  return { exactP, midP: exactP - (2 * fewer === differing ? seen / 2 : seen) };
}

/** Probability of exactly `k` heads in `n` tosses of a fair coin. */
function binomialHalf(k: number, n: number): number {
  return Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) - n * Math.LN2);
}
