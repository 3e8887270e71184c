/**
 * "Not worse by more than a margin": what is asked of everything that an adapter was not trained for.
 */
import type { Interval } from "../records/comparison.ts";

export type NonInferiority = "passed" | "failed" | "inconclusive";

/**
 * Judges a difference (treatment minus reference, higher is better) by its interval: passed where all of it lies above
 * -margin, failed where all of it lies below, else inconclusive. A two-sided interval at alpha errs on the passing side with
 * a chance of alpha / 2.
 * Units: `margin` is positive, in the interval's own units.
 * Source: Piaggio et al. 2012, JAMA 308:2594 (CONSORT extension for non-inferiority).
 */
export function nonInferiority(interval: Interval | null, margin: number): NonInferiority {
  if (interval === null) return "inconclusive";
  if (interval.low > -margin) return "passed";
  return interval.high < -margin ? "failed" : "inconclusive";
}
