/**
 * "Not worse by more than a margin": what is asked of everything that an adapter was not trained for.
 */
import type { Interval } from "../records/comparison.ts";
import { hasSpread, type PairedDifference } from "./paired-difference.ts";
import { POWER } from "./power.ts";
import { studentTQuantile } from "./student-t.ts";

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

/**
 * Items at which a treatment that is exactly as good passes with 80 % power, were there more families of the same size; null
 * where the standard error that was observed says nothing.
 * Units: `n` items gave `standardError`.
 * Source: Chow, Shao, Wang 2008, Sample Size Calculations in Clinical Research, section 4.1, with t for z.
 */
export function itemsForNonInferiority(
  estimate: Omit<PairedDifference, "difference"> & { n: number },
  { margin, alpha }: { margin: number; alpha: number },
): number | null {
  const { n, standardError, families } = estimate;
  if (standardError === null || !hasSpread(estimate)) return null;
  const df = families - 1;
  const needed = studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df);
  return Math.ceil(n * ((needed * standardError) / margin) ** 2);
}
