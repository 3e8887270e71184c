import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import type { Interval } from "../../src/records/comparison.ts";
import { bootstrapInterval } from "../../src/statistics/bootstrap.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { minimumDetectable, requiredItems } from "../../src/statistics/power.ts";
import { ratioOfMeans } from "../../src/statistics/ratio-of-means.ts";

const anyFamilies = fc.array(fc.array(fc.constantFrom(-1, 0, 1), { minLength: 1, maxLength: 30 }), {
  minLength: 2,
  maxLength: 16,
});
const UNCOUNTED = { alpha: 0.05, counts: null };
const negated = (families: number[][]) => families.map((items) => items.map((d) => 0 - d));

describe("the cluster-robust interval", () => {
  test("equals a small example worked by hand", () => {
    // Mean 3/8. Without the families in turn: 1/6, 3/6 and 2/4.
    const families = [
      [1, 1],
      [0, 0],
      [1, 0, 1, -1],
    ];
    const estimate = pairedDifference(families);
    expect(estimate.difference).toBe(0.375);
    const standardError = Math.hypot(3 / 8 - 1 / 6, 3 / 8 - 3 / 6, 3 / 8 - 2 / 4);
    expect(estimate.standardError).toBeCloseTo(standardError, 14);
    const half = 4.302652729749464 * standardError;
    const interval = clusterInterval(estimate, 0.05);
    expect(interval?.low).toBeCloseTo(Math.max(-1, 0.375 - half), 10);
    expect(interval?.high).toBe(1);
  });

  test("is that of independent pairs where every family holds one item, but for the factor n / (n - 1)", () => {
    const differences = [1, 0, 0, -1, 1, 1, 0, 0, 1, 0];
    const mean = 0.3;
    const variance = sumOf(differences, (d) => (d - mean) ** 2) / 9;
    const estimate = pairedDifference(differences.map((d) => [d]));
    expect(estimate.standardError).toBeCloseTo(Math.sqrt(variance / 9), 14);
  });

  test("cannot be told below two families", () => {
    expect(clusterInterval(pairedDifference([[1, 0, 1]]), 0.05)).toBeNull();
  });

  test("mirrors when the arms are swapped, holds the estimate, and stays in [-1, 1]", () => {
    fc.assert(
      fc.property(anyFamilies, (families) => {
        const estimate = pairedDifference(families);
        const interval = clusterInterval(estimate, 0.05) ?? { low: Number.NaN, high: Number.NaN };
        const mirror = clusterInterval(pairedDifference(negated(families)), 0.05);
        expect(mirror?.low).toBeCloseTo(-interval.high, 12);
        expect(mirror?.high).toBeCloseTo(-interval.low, 12);
        expect(interval.low).toBeLessThanOrEqual(estimate.difference);
        expect(interval.high).toBeGreaterThanOrEqual(estimate.difference);
        expect(interval.low).toBeGreaterThanOrEqual(-1);
        expect(interval.high).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("the bootstrap over families", () => {
  test("of very many is as wide as the t interval", () => {
    const draws = random("simulation", "many families");
    const families = Array.from({ length: 50_000 }, () => [Number(draws.next() < 0.1) - Number(draws.next() < 0.08)]);
    const { low, high } = clusterInterval(pairedDifference(families), 0.05) as Interval;
    const drawn = bootstrapInterval(families, { alpha: 0.05, seed: 1, resamples: 2000 }) as Interval;
    expect((drawn.high - drawn.low) / (high - low)).toBeGreaterThan(0.93);
    expect((drawn.high - drawn.low) / (high - low)).toBeLessThan(1.07);
    expect(Math.abs(drawn.low + drawn.high - low - high)).toBeLessThan(0.1 * (high - low));
  });

  test("gives the same interval for the same seed and nearly the same for another", () => {
    const families = [
      [1, 0, 0],
      [0, 0, 1, -1],
      [1, 1],
      [0, 0, 0],
      [-1, 0, 1],
    ];
    const interval = bootstrapInterval(families, { alpha: 0.05, seed: 1 });
    expect(bootstrapInterval(families, { alpha: 0.05, seed: 1 })).toEqual(interval);
    expect(bootstrapInterval(families, { alpha: 0.05, seed: 2 })?.low).toBeCloseTo(interval?.low as number, 1);
  });

  test("equals the exact resampling distribution of two families", () => {
    // Means 1, 1/2 and 0 with probabilities 1/4, 1/2, 1/4.
    expect(bootstrapInterval([[1], [0]], { alpha: 0.1, seed: 3 })).toEqual({ low: 0, high: 1 });
    expect(bootstrapInterval([[1], [0]], { alpha: 0.6, seed: 3 })).toEqual({ low: 0.5, high: 0.5 });
  });

  test("stays in [-1, 1], is ordered, and cannot be told below two families", () => {
    fc.assert(
      fc.property(anyFamilies, fc.nat(1000), (families, seed) => {
        const interval = bootstrapInterval(families, { alpha: 0.05, seed, resamples: 200 });
        expect(interval?.low).toBeGreaterThanOrEqual(-1);
        expect(interval?.high).toBeLessThanOrEqual(1);
        expect(interval?.low).toBeLessThanOrEqual(interval?.high as number);
      }),
      { numRuns: 50 },
    );
    expect(bootstrapInterval([[1, 0]], { alpha: 0.05, seed: 1 })).toBeNull();
  });
});

describe("power", () => {
  test("with many families the smallest difference is the well-known 2.8 standard errors", () => {
    const smallest = minimumDetectable({ difference: 0, standardError: 0.01, families: 100_000 }, UNCOUNTED);
    expect(smallest).toBeCloseTo(0.02802, 5);
  });

  test("with five families it is what the t table gives for four degrees of freedom", () => {
    const smallest = minimumDetectable({ difference: 0, standardError: 0.01, families: 5 }, UNCOUNTED);
    expect(smallest).toBeCloseTo((2.776445 + 0.940965) * 0.01, 7);
  });

  test("nothing can be promised where no family differs, or there is one alone", () => {
    expect(minimumDetectable({ difference: 0, standardError: 0, families: 14 }, UNCOUNTED)).toBeNull();
    expect(minimumDetectable({ difference: 0.1, standardError: null, families: 1 }, UNCOUNTED)).toBeNull();
  });

  const open = { n: 200, families: 14, difference: 0.04, interval: { low: -0.01, high: 0.09 }, bound: 0, truth: 0.04 };

  test("an interval that is as wide as the smallest difference has it takes the items that would show that", () => {
    const standardError = 0.05 / 2.160368656; // t on 13 degrees of freedom
    const detectable = minimumDetectable({ difference: 0.04, standardError, families: 14 }, UNCOUNTED) as number;
    expect(requiredItems(open, 0.05)).toBe(Math.ceil(200 * (detectable / 0.04) ** 2));
    const mirrored = { ...open, difference: -0.04, interval: { low: -0.09, high: 0.01 }, truth: -0.04 };
    expect(requiredItems(mirrored, 0.05)).toBe(requiredItems(open, 0.05));
  });

  test("half the distance from the bound takes four times the items", () => {
    const half = requiredItems({ ...open, bound: 0.02 }, 0.05) as number;
    expect(half / (requiredItems(open, 0.05) as number)).toBeCloseTo(4, 1);
  });

  test("what left a question open takes more items than these to tell, and what did not none", () => {
    const question = fc.record({
      ...{ n: fc.integer({ min: 1, max: 1000 }), families: fc.integer({ min: 2, max: 40 }) },
      ...{ difference: fc.double({ min: -1, max: 1, noNaN: true }), below: fc.double({ min: 0, max: 1, noNaN: true }) },
      ...{ above: fc.double({ min: 0, max: 1, noNaN: true }), bound: fc.constantFrom(0, -0.03) },
    });
    fc.assert(
      fc.property(question, ({ below, above, ...asked }) => {
        const { difference, bound, n } = asked;
        const interval = { low: difference - below, high: difference + above };
        const items = requiredItems({ ...asked, interval, truth: difference }, 0.05);
        const isOpen = difference !== bound && interval.low <= bound && interval.high >= bound;
        if (isOpen) expect(items).toBeGreaterThan(n);
        else expect(items).toBeNull();
      }),
    );
  });
});

describe("the ratio of means", () => {
  const anyAmounts = fc.array(
    fc.array(fc.record({ reference: fc.integer({ min: 1, max: 500 }), treatment: fc.integer({ min: 1, max: 500 }) }), {
      minLength: 1,
      maxLength: 20,
    }),
    { minLength: 2, maxLength: 14 },
  );

  test("is exact where every item costs the same multiple, which is no reason to be sure of it", () => {
    const families = [
      [{ reference: 10, treatment: 5 }],
      [
        { reference: 40, treatment: 20 },
        { reference: 8, treatment: 4 },
      ],
    ];
    const result = ratioOfMeans(families, 0.05);
    expect(result?.ratio).toBe(0.5);
    expect(result?.interval).toBeNull();
  });

  test("inverts when the arms are swapped and holds the estimate", () => {
    fc.assert(
      fc.property(anyAmounts, (families) => {
        const result = ratioOfMeans(families, 0.05);
        const inverse = ratioOfMeans(
          families.map((items) =>
            items.map(({ reference, treatment }) => ({ reference: treatment, treatment: reference })),
          ),
          0.05,
        );
        const { low, high } = result?.interval ?? { low: Number.NaN, high: Number.NaN };
        const ratio = result?.ratio as number;
        expect((inverse?.ratio as number) * ratio).toBeCloseTo(1, 10);
        expect(low).toBeLessThanOrEqual(ratio);
        expect(high).toBeGreaterThanOrEqual(ratio);
        // Logarithms, because a few unequal families can make the upper limit astronomically large.
        expect(Math.log(inverse?.interval?.low as number)).toBeCloseTo(-Math.log(high), 6);
      }),
    );
  });

  test("has no interval where two families leave every ratio open", () => {
    const families = [[{ reference: 100, treatment: 1 }], [{ reference: 1, treatment: 100 }]];
    expect(ratioOfMeans(families, 0.05)?.interval?.high).toBeGreaterThan(1e6);
    expect(ratioOfMeans(families, 0.05 / 30)).toEqual({ ratio: 1, interval: null });
  });

  test("cannot be told where an arm spends nothing", () => {
    expect(ratioOfMeans([[{ reference: 0, treatment: 5 }]], 0.05)).toBeNull();
    expect(ratioOfMeans([[{ reference: 5, treatment: 0 }]], 0.05)).toBeNull();
  });
});
