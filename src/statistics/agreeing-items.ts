/**
 * What items that all came out alike leave open: others, that were not seen, may not.
 */
import type { Interval } from "../records/comparison.ts";

/**
 * Interval of the mean of a figure that was the same for all `n` independent items: as large a share of all items as would stay
 * unseen with a chance of alpha / 2 may differ, each by no more than 1 beyond 0. It shrinks with n and is never without width.
 * Units: those of `value`; for differences of rates in [-1, 1] no item can differ by more than is assumed.
 * Source: Hanley and Lippman-Hand 1983, JAMA 249:1743 (nothing is seen in n), exactly: Clopper and Pearson 1934, Biometrika 26:404.
 */
export function agreeingInterval(value: number, { n, alpha }: { n: number; alpha: number }): Interval {
  const half = unseenShare(n, alpha) * (1 + Math.abs(value));
  return { low: value - half, high: value + half };
}

/** Largest share of items that `n` independent ones all miss with a chance of alpha / 2; about 3.7 / n at an alpha of 5 %. */
export function unseenShare(n: number, alpha: number): number {
  return 1 - (alpha / 2) ** (1 / n);
}
