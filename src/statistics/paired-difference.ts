/**
 * The difference between two paired rates where items of one family rise and fall together.
 * Knows neither what a family nor what an arm is: it gets each family's item differences.
 */
import { assert } from "../foundation/errors.ts";
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { studentTQuantile } from "./student-t.ts";

export interface PairedDifference {
  difference: number;
  /** Null where it cannot be told: fewer than two families. */
  standardError: number | null;
  families: number;
}

/**
 * Mean difference over all items, with its cluster-robust standard error: the root of the summed squares of what leaving one
 * family out does to the mean.
 * Shapes: `families` has one entry per family, each holding its items' differences (>= 1): -1, 0 or 1 for one
 * attempt an item, any fraction in [-1, 1] for a mean over attempts.
 * Units: fractions in [-1, 1].
 * Source: CR3 of Bell and McCaffrey 2002, Survey Methodology 28:169, for a mean. The sandwich of Miller 2024, arXiv:2411.00640,
 * appendix A, is too small with few families, and with the factor G / (G - 1) still where they are unequal or skewed.
 */
export function pairedDifference(families: readonly (readonly number[])[]): PairedDifference {
  const n = sumOf(families, (items) => items.length);
  assert(n > 0 && families.every((items) => items.length > 0), "a paired difference needs items in every family");
  const difference = sumOf(families, (items) => sumOf(items)) / n;
  const count = families.length;
  if (count < 2) return { difference, standardError: null, families: count };
  const squares = families.reduce((total, items) => {
    const leftOut = (sumOf(items) - items.length * difference) / (n - items.length);
    return total + leftOut ** 2;
  }, 0);
  return { difference, standardError: Math.sqrt(squares), families: count };
}

/** Whether the families differ at all: where they agree exactly, their spread tells nothing of how sure the mean is. */
export function hasSpread({ standardError }: Pick<PairedDifference, "standardError">): boolean {
  return standardError !== null && standardError > ROUNDING;
}

/** Families whose means are equal on paper come out as far apart as this. */
const ROUNDING = 1e-12;

/**
 * Two-sided t interval on (families - 1) degrees of freedom, cut to [-1, 1]; null below two families.
 * It is fair from about 10 families up; below that the families are too few to judge their own spread.
 */
export function clusterInterval(estimate: PairedDifference, alpha: number): Interval | null {
  const interval = meanInterval(estimate, alpha);
  return interval === null ? null : { low: Math.max(-1, interval.low), high: Math.min(1, interval.high) };
}

/** The same interval uncut, for differences of any size. */
export function meanInterval(estimate: PairedDifference, alpha: number): Interval | null {
  if (estimate.standardError === null) return null;
  const half = studentTQuantile(1 - alpha / 2, estimate.families - 1) * estimate.standardError;
  return { low: estimate.difference - half, high: estimate.difference + half };
}
