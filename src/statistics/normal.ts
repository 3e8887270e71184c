/**
 * The standard normal distribution.
 * Source: series and continued fraction of the error function, DLMF 7.6.2 and 7.9.2; both are exact to the last few
 * bits, also far out in the tail.
 */
import { symmetricQuantile } from "./symmetric-quantile.ts";

const CONTINUED_FRACTION_TERMS = 80;

/** Returns the probability of a standard normal value of at most `x`. */
export function normalCdf(x: number): number {
  if (x > 0) return 1 - normalCdf(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  // The series loses its relative precision in the tail, the fraction converges slowly near 0.
  return x > -3 ? 0.5 + density * oddSeries(x) : density / tailFraction(-x);
}

/** Returns the value that a standard normal falls below with probability `p`, a fraction strictly between 0 and 1. */
export function normalQuantile(p: number): number {
  return symmetricQuantile(normalCdf, p);
}

function oddSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return sum;
}

function tailFraction(z: number): number {
  let value = z;
  for (let k = CONTINUED_FRACTION_TERMS; k >= 1; k--) value = z + k / value;
  return value;
}
