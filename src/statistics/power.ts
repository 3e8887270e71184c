/**
 * What a paired design can see, from the spread over families that was observed. (The textbook formula, from the share
 * of pairs that differ, takes items for independent and promises too much where families rise and fall together.)
 */
import type { Interval } from "../records/comparison.ts";
import { type PairedCounts, pairsIn } from "./paired-counts.ts";
import { hasSpread, type PairedDifference } from "./paired-difference.ts";
import { studentTQuantile } from "./student-t.ts";

export const POWER = 0.8;

/**
 * Smallest true difference that the cluster-robust t interval would separate from 0 with 80 % power, were as many items to differ as
 * did and families to spread as they did; null where there is no such interval, or where no family differs and so nothing is known.
 * Shapes: `counts` of the same items; null where a difference is of anything else than one right or wrong answer an arm.
 * Units: a fraction.
 * Source: Bloom 1995, Evaluation Review 19:547: (t of 1 - alpha/2 + t of power) standard errors; with counts these are those of the
 * difference that is named, as of Connor 1987, Biometrics 43:207: it takes as many items that differ, and leaves them less to spread.
 */
export function minimumDetectable(
  { difference, standardError, families }: PairedDifference,
  { alpha, counts }: { alpha: number; counts: PairedCounts | null },
): number | null {
  if (standardError === null || !hasSpread({ standardError })) return null;
  const df = families - 1;
  const standardErrors = studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df);
  if (counts === null) return standardErrors * standardError;
  const discordant = (counts.onlyTreatment + counts.onlyReference) / pairsIn(counts);
  const squared = (standardErrors * standardError) ** 2 / (discordant - difference ** 2);
  const detectable = Math.sqrt((squared * discordant) / (1 + squared));
  return detectable <= discordant ? detectable : squared / (1 + squared);
}

/** What so many items left open. Units: those of what was measured. */
export interface OpenQuestion {
  n: number;
  families: number;
  difference: number;
  /** The one that decides; it holds `bound`. */
  interval: Interval;
  bound: number;
  /** The difference that is taken to be true. */
  truth: number;
}

/**
 * Items that would tell on which side of the bound the truth lies, with 80 % power, were there more of the same kind: more families,
 * each of the same size. The interval shrinks with the root of their number. More than the items that left it open; null where these
 * did not, where the truth is the bound, and below two families.
 * Source: Bloom 1995, as above; of non-inferiority Chow, Shao, Wang 2008, Sample Size Calculations in Clinical Research,
 * section 4.1, with t for z. Deviates: as standard error counts what the interval that decides comes to, which may be widened.
 */
export function requiredItems(open: OpenQuestion, alpha: number): number | null {
  const { n, families, difference, interval, bound, truth } = open;
  const distance = Math.abs(truth - bound);
  const reach = truth > bound ? difference - interval.low : interval.high - difference;
  if (families < 2 || distance === 0 || reach < distance) return null;
  const df = families - 1;
  const withPower = 1 + studentTQuantile(POWER, df) / studentTQuantile(1 - alpha / 2, df);
  return Math.ceil(n * (withPower * (reach / distance)) ** 2);
}
