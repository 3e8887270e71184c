/**
 * The regularised incomplete beta function, by its continued fraction.
 * Source: DLMF 8.17.22, evaluated by the modified Lentz method (DLMF 3.10(iii)).
 */
import { assert } from "../foundation/errors.ts";
import { logGamma } from "./log-gamma.ts";

const MOST_TERMS = 10_000;
/** Stands in for a denominator of exactly 0, as the Lentz method asks. */
const TINY = 1e-300;

/**
 * Returns I_x(a, b), the probability that a beta(a, b) value is at most `x`.
 * Units: `x` is a fraction in [0, 1]; `a` and `b` are positive.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  assert(x >= 0 && x <= 1 && a > 0 && b > 0, `incompleteBeta(${x}, ${a}, ${b}): out of range`);
  if (x === 0 || x === 1) return x;
  // The fraction converges fast only below the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  return (Math.exp(logFront) / a) * continuedFraction(x, a, b);
}

function continuedFraction(x: number, a: number, b: number): number {
  let numerator = 1;
  let denominator = away(1 - ((a + b) * x) / (a + 1));
  let value = 1 / denominator;
  for (let m = 1; m <= MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const coefficient of [even, odd]) {
      denominator = away(1 + coefficient / denominator);
      numerator = away(1 + coefficient / numerator);
      change = numerator / denominator;
      value *= change;
    }
    if (Math.abs(change - 1) < 2 * Number.EPSILON) return value;
  }
  throw new Error(`Bug: incompleteBeta(${x}, ${a}, ${b}) did not converge`);
}

function away(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
