/**
 * Student's t distribution.
 * Source: its distribution function by the incomplete beta function, Abramowitz and Stegun 26.7.1.
 */
import { incompleteBeta } from "./incomplete-beta.ts";
import { symmetricQuantile } from "./symmetric-quantile.ts";

/**
 * Returns the probability of a t value of at most `t`.
 * Units: `df` are the degrees of freedom, positive, not necessarily whole.
 */
export function studentTCdf(t: number, df: number): number {
  if (t > 0) return 1 - studentTCdf(-t, df);
  return incompleteBeta(df / (df + t * t), df / 2, 0.5) / 2;
}

/** Returns the value that t with `df` degrees of freedom falls below with probability `p`, strictly between 0 and 1. */
export function studentTQuantile(p: number, df: number): number {
  return symmetricQuantile((t) => studentTCdf(t, df), p);
}
