import fc from "fast-check";
import { expect, test } from "vitest";
import { incompleteBeta } from "../../src/statistics/incomplete-beta.ts";
import { logGamma } from "../../src/statistics/log-gamma.ts";
import { normalCdf, normalQuantile } from "../../src/statistics/normal.ts";
import { studentTCdf, studentTQuantile } from "../../src/statistics/student-t.ts";

test("normal quantiles equal the printed tables", () => {
  const table: [number, number][] = [
    [0.5, 0],
    [0.8, 0.8416212335729143],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.995, 2.5758293035489004],
    [0.001, -3.090232306167813],
    [1e-10, -6.361340902404056],
  ];
  for (const [p, x] of table) expect(normalQuantile(p)).toBeCloseTo(x, 12);
});

test("normal probabilities keep their relative precision far out in the tail", () => {
  const table: [number, number][] = [
    [-1, 0.15865525393145707],
    [-3, 1.3498980316300946e-3],
    [-5, 2.86651571879194e-7],
    [-10, 7.61985302416053e-24],
    [-20, 2.75362411860623e-89],
  ];
  for (const [x, p] of table) expect(normalCdf(x) / p).toBeCloseTo(1, 12);
});

test("t quantiles equal the printed tables", () => {
  // Two-sided 95 % and 99 % points.
  const table: [number, number, number][] = [
    [1, 12.706205, 63.656741],
    [2, 4.302653, 9.924843],
    [5, 2.570582, 4.032143],
    [10, 2.228139, 3.169273],
    [13, 2.160369, 3.012276],
    [30, 2.042272, 2.749996],
    [120, 1.97993, 2.617421],
  ];
  for (const [df, p975, p995] of table) {
    expect(studentTQuantile(0.975, df)).toBeCloseTo(p975, 6);
    expect(studentTQuantile(0.995, df)).toBeCloseTo(p995, 6);
  }
});

test("t quantiles with one and two degrees of freedom equal their closed forms", () => {
  for (const p of [0.6, 0.9, 0.975, 0.995, 0.9999]) {
    expect(studentTQuantile(p, 1) / Math.tan(Math.PI * (p - 0.5))).toBeCloseTo(1, 11);
    expect(studentTQuantile(p, 2) / ((2 * p - 1) * Math.sqrt(1 / (2 * p * (1 - p))))).toBeCloseTo(1, 11);
  }
});

test("t with one degree of freedom is the Cauchy distribution", () => {
  for (const t of [-1e6, -50, -2, -0.3, 0, 0.3, 2, 50]) {
    expect(studentTCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 14);
  }
});

test("t comes to the normal as its degrees of freedom grow", () => {
  expect(studentTQuantile(0.975, 1e7)).toBeCloseTo(normalQuantile(0.975), 6);
});

test("the logarithm of gamma equals that of factorials and of the square root of pi", () => {
  let factorial = 1;
  for (let n = 1; n <= 20; n++) {
    factorial *= n;
    expect(logGamma(n + 1)).toBeCloseTo(Math.log(factorial), 11);
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
});

test("the incomplete beta function equals the binomial sums it stands for", () => {
  // I_p(k, n - k + 1) is the chance of at least k successes in n trials: n = 10, k = 3, p = 0.3.
  expect(incompleteBeta(0.3, 3, 8)).toBeCloseTo(0.6172172136, 12);
  expect(incompleteBeta(0.25, 1, 1)).toBeCloseTo(0.25, 14);
});

test("a quantile and its distribution function undo each other", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-8, max: 1 - 1e-8, noNaN: true }), fc.integer({ min: 1, max: 400 }), (p, df) => {
      expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 12);
      expect(studentTCdf(studentTQuantile(p, df), df)).toBeCloseTo(p, 12);
    }),
  );
});
