/**
 * The natural logarithm of the gamma function.
 * Source: Lanczos, "A Precision Approximation of the Gamma Function", 1964, with g = 7 and nine terms (about 15 digits).
 */
import { assert } from "../foundation/errors.ts";

const G = 7;
const FIRST = 0.99999999999980993;
const COEFFICIENTS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Returns ln(gamma(x)) for x > 0; `logGamma(n + 1)` is ln(n!). */
export function logGamma(x: number): number {
  assert(x > 0, `logGamma(${x}): needs a positive number`);
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const sum = COEFFICIENTS.reduce((total, coefficient, k) => total + coefficient / (shifted + k + 1), FIRST);
  const t = shifted + G + 0.5;
  return Math.log(2 * Math.PI) / 2 + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}
