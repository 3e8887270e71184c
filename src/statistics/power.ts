/**
 * What a paired design can see: from the spread that was observed over families, or from the share of items whose
 * outcome differs between the arms, where the items are independent.
 */
import { normalQuantile } from "./normal.ts";
import type { PairedDifference } from "./paired-difference.ts";
import { studentTQuantile } from "./student-t.ts";

export const POWER = 0.8;

/**
 * Smallest true difference that the cluster-robust t interval would separate from 0 with 80 % power, at the
 * standard error that was observed; null where there is none, or where no pair differs and so nothing is known.
 * Units: a fraction.
 * Source: Bloom 1995, Evaluation Review 19:547: (t of 1 - alpha/2 + t of power) standard errors.
 */
export function minimumDetectable({ standardError, families }: PairedDifference, alpha: number): number | null {
  if (standardError === null || standardError === 0) return null;
  const df = families - 1;
  return (studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df)) * standardError;
}

/**
 * Pairs needed to see a true difference with 80 % power where pairs are independent.
 * Units: `discordance` is the share of pairs that differ, a fraction; |difference| <= discordance.
 * Source: Connor 1987, Biometrics 43:207.
 */
export function requiredPairs(difference: number, discordance: number, alpha: number): number {
  return Math.ceil(pairsFor(Math.abs(difference), discordance, alpha));
}

/**
 * Smallest true difference that `n` independent pairs show with 80 % power; null where not even a difference as
 * large as the discordance would be seen.
 * Units: fractions.
 */
export function minimumDetectableOfPairs(n: number, discordance: number, alpha: number): number | null {
  if (discordance <= 0 || pairsFor(discordance, discordance, alpha) > n) return null;
  let low = 0;
  let high = discordance;
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (pairsFor(middle, discordance, alpha) > n) low = middle;
    else high = middle;
  }
  return high;
}

function pairsFor(difference: number, discordance: number, alpha: number): number {
  const underNull = normalQuantile(1 - alpha / 2) * Math.sqrt(discordance);
  const underTruth = normalQuantile(POWER) * Math.sqrt(Math.max(0, discordance - difference ** 2));
  return ((underNull + underTruth) / difference) ** 2;
}
