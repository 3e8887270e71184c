import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FEWEST_EFFECTS, type NoisyEffect, shrinkEffects } from "../../src/statistics/shrinkage.ts";

const KNOWN = 1e9;
const noisy = (estimate: number, variance: number): NoisyEffect => ({
  estimate,
  standardError: Math.sqrt(variance),
  degreesOfFreedom: KNOWN,
});

const anyEffects = fc.array(
  fc.record({
    estimate: fc.double({ min: -0.4, max: 0.4, noNaN: true }),
    standardError: fc.double({ min: 0.01, max: 0.15, noNaN: true }),
    degreesOfFreedom: fc.integer({ min: 4, max: 60 }),
  }),
  { minLength: FEWEST_EFFECTS, maxLength: 12 },
);

describe("shrinkage of a group's effects", () => {
  test("equals the batting averages of Efron and Morris 1977: each keeps 0.212 of its distance to the mean", () => {
    const averages = [
      0.4, 0.378, 0.356, 0.333, 0.311, 0.311, 0.289, 0.267, 0.244, 0.244, 0.222, 0.222, 0.222, 0.222, 0.222, 0.2, 0.178,
      0.156,
    ];
    const variance = (0.2654 * (1 - 0.2654)) / 45;
    const result = shrinkEffects(
      averages.map((average) => noisy(average, variance)),
      0.05,
    );
    expect(result?.mean).toBeCloseTo(0.2654, 4);
    for (const { weight } of result?.effects ?? []) expect(weight).toBeCloseTo(0.212, 3);
    expect(result?.effects[0]?.estimate).toBeCloseTo(0.294, 3);
  });

  test("equals an example of four worked by hand", () => {
    // Equal variances 0.01, estimates with mean 0 and squares that sum to 0.1: the variance between is 0.1 / 3 - 0.01.
    const estimates = [-0.2, -0.1, 0.1, 0.2];
    const result = shrinkEffects(
      estimates.map((estimate) => noisy(estimate, 0.01)),
      0.05,
    );
    expect(result?.mean).toBeCloseTo(0, 12);
    expect(result?.betweenVariance).toBeCloseTo(0.1 / 3 - 0.01, 7);
    // Drawn in by (1 / 3) x 0.01 / (0.1 / 3) = 0.1.
    expect(result?.effects[3]?.estimate).toBeCloseTo(0.2 * 0.9, 7);
    // 0.01 (1 - 3/4 x 0.1), and 2 x 0.1^2 x 0.2^2 for the variance that is not known.
    const half = 1.959963984540054 * Math.sqrt(0.01 * (1 - 0.075) + 2 * 0.01 * 0.04);
    expect(result?.effects[3]?.interval.low).toBeCloseTo(0.18 - half, 7);
    expect(result?.effects[3]?.interval.high).toBeCloseTo(0.18 + half, 7);
  });

  test("finds the mean and the variance between of Paule and Mandel as statsmodels 0.15 does", () => {
    const estimates = [-0.21, 0.05, 0.12, -0.02, 0.31, 0.07];
    const variances = [0.01, 0.02, 0.004, 0.015, 0.03, 0.006];
    const result = shrinkEffects(
      estimates.map((estimate, i) => noisy(estimate, variances[i] as number)),
      0.05,
    );
    expect(result?.betweenVariance).toBeCloseTo(0.012830438372638408, 6);
    expect(result?.mean).toBeCloseTo(0.0393854195839505, 6);
  });

  test("draws in an uncertain effect more than a certain one", () => {
    const [certain, uncertain] =
      shrinkEffects([noisy(0.3, 0.001), noisy(0.3, 0.05), noisy(-0.1, 0.01), noisy(0, 0.01)], 0.05)?.effects ?? [];
    expect(certain?.weight).toBeGreaterThan(uncertain?.weight as number);
  });

  test("finds no variance between effects that are alike, and still does not take them for one", () => {
    const result = shrinkEffects(
      [0.1, 0.11, 0.09, 0.1, 0.1].map((estimate) => noisy(estimate, 0.01)),
      0.05,
    );
    expect(result?.betweenVariance).toBe(0);
    // Four degrees of freedom: (5 - 3) / (5 - 1) of the way.
    expect(result?.effects[1]?.weight).toBeCloseTo(0.5, 6);
  });

  test("is not done below four effects", () => {
    expect(shrinkEffects([noisy(0.3, 0.01), noisy(0, 0.01), noisy(0.1, 0.01)], 0.05)).toBeNull();
  });

  test("puts each effect between its own estimate and the mean, inside its interval", () => {
    fc.assert(
      fc.property(anyEffects, (effects) => {
        const result = shrinkEffects(effects, 0.05);
        const mean = result?.mean as number;
        for (const [i, { estimate, interval, weight }] of (result?.effects ?? []).entries()) {
          const own = effects[i]?.estimate as number;
          expect(weight).toBeGreaterThan(0);
          expect(weight).toBeLessThanOrEqual(1);
          expect(estimate).toBeGreaterThanOrEqual(Math.min(own, mean) - 1e-12);
          expect(estimate).toBeLessThanOrEqual(Math.max(own, mean) + 1e-12);
          expect(interval.low).toBeLessThanOrEqual(estimate);
          expect(interval.high).toBeGreaterThanOrEqual(estimate);
        }
      }),
    );
  });
});
