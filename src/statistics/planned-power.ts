/**
 * What a paired comparison could see, before anything is known of its outcome but a guess of how often the two arms
 * differ on an item.
 */
import { POWER } from "./power.ts";
import { studentTQuantile } from "./student-t.ts";

/**
 * Smallest true difference in success that a two-sided t interval over families separates from 0 with 80 % power, where
 * the arms differ on a share `discordant` of the items; null with fewer than two families, and where it would be larger than that
 * share, which no difference can be.
 * Units: fractions. `designEffect` is the variance over that of independent items, at least 1; `sampleFactor` what samples leave of it;
 * `lag` is what has to be come further than the interval asks for, in standard errors.
 * Source: Connor 1987, Biometrics 43:207 (variance of a paired difference of proportions, taken at that difference), with
 * the multiplier of Bloom 1995, Evaluation Review 19:547.
 */
export function plannedDetectable(
  { items, families }: { items: number; families: number },
  {
    discordant,
    alpha,
    lag = 0,
    designEffect = 1,
    sampleFactor = 1,
  }: { discordant: number; alpha: number; lag?: number; designEffect?: number; sampleFactor?: number },
): number | null {
  if (families < 2 || items < 1) return null;
  const standardErrors = plannedHalfWidth(families, alpha) + lag + studentTQuantile(POWER, families - 1);
  const detectable =
    standardErrors * Math.sqrt((discordant * sampleFactor) / (items / designEffect + standardErrors ** 2));
  return detectable > discordant ? null : detectable;
}

/**
 * How much two items of one family rise and fall together where nothing was measured, 0 to 1: neither not at all nor like one item.
 * Families that differ by 8 points, where the arms differ on a tenth of the items, come to this.
 */
export const ASSUMED_FAMILY_CORRELATION = 1 / 16;

/**
 * Variance of a mean over that of as many independent items, where families are as large as each other: at least 1. It grows with the
 * items of a family, so that more items of the same families say little more.
 * Source: Kish 1965, Survey Sampling, section 5.4: 1 + (m - 1) rho.
 */
export function designEffectOf({ items, families }: { items: number; families: number }, correlation: number): number {
  return 1 + Math.max(0, items / families - 1) * correlation;
}

/** The correlation, 0 to 1, that a design effect came from; null where families have one item each and so show none. */
export function familyCorrelation(
  { n, families }: { n: number; families: number },
  designEffect: number,
): number | null {
  const others = n / families - 1;
  return others <= 0 ? null : Math.min(1, Math.max(0, (designEffect - 1) / others));
}

/**
 * How far an interval of `clusterInterval` reaches on one side, where families are as large as each other.
 * Units: standard errors of the mean; `families` >= 2. Leaving a family out tells a variance as G / (G - 1) times what it is.
 */
export function plannedHalfWidth(families: number, alpha: number): number {
  const df = families - 1;
  return studentTQuantile(1 - alpha / 2, df) * Math.sqrt(families / df);
}
