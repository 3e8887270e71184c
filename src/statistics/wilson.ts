/**
 * The interval of one rate.
 */
import type { Interval } from "../records/comparison.ts";
import { normalQuantile } from "./normal.ts";

/**
 * Wilson's score interval of a rate whose trials are independent.
 * Shapes: 0 <= passed <= n, n >= 1.
 * Units: fractions in [0, 1].
 * Source: Wilson 1927, JASA 22:209; method 3 of Newcombe 1998, Stat Med 17:857.
 */
export function wilsonInterval(passed: number, n: number, alpha: number): Interval {
  const z = normalQuantile(1 - alpha / 2);
  const rate = passed / n;
  const scale = 1 + (z * z) / n;
  const center = (rate + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / n + (z * z) / (4 * n * n));
  // At 0 and n one limit is the rate itself; rounding must not put it on the wrong side.
  return { low: passed === 0 ? 0 : center - half, high: passed === n ? 1 : center + half };
}
