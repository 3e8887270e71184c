import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holm } from "../../src/statistics/holm.ts";
import { mcnemar } from "../../src/statistics/mcnemar.ts";
import { newcombeInterval } from "../../src/statistics/newcombe.ts";
import { countPairs, type PairedCounts, pairsIn } from "../../src/statistics/paired-counts.ts";
import { wilsonInterval } from "../../src/statistics/wilson.ts";

/** Cells in the order of the usual table: both, only the treatment, only the reference, neither. */
function counts(both: number, onlyTreatment: number, onlyReference: number, neither: number): PairedCounts {
  return { both, onlyTreatment, onlyReference, neither };
}

const anyCounts = fc
  .tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60))
  .filter((cells) => cells.some((cell) => cell > 0))
  .map(([a, b, c, d]) => counts(a, b, c, d));
const anyAlpha = fc.constantFrom(0.01, 0.05, 0.1, 0.2);

function swapped({ both, onlyTreatment, onlyReference, neither }: PairedCounts): PairedCounts {
  return counts(both, onlyReference, onlyTreatment, neither);
}

test("pairs are counted by how each arm came out", () => {
  const pairs = [
    { reference: true, treatment: true },
    { reference: false, treatment: true },
    { reference: false, treatment: true },
    { reference: true, treatment: false },
    { reference: false, treatment: false },
  ];
  expect(countPairs(pairs)).toEqual(counts(1, 2, 1, 1));
});

describe("Wilson's interval", () => {
  test("equals the examples of Newcombe 1998 (Stat Med 17:857, table I)", () => {
    const examples: [number, number, number, number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [passed, n, low, high] of examples) {
      const interval = wilsonInterval(passed, n, 0.05);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  test("holds the rate, stays in [0, 1], and mirrors when passes and failures trade places", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), anyAlpha, (n, most, alpha) => {
        const passed = Math.min(most, n);
        const { low, high } = wilsonInterval(passed, n, alpha);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(passed / n);
        expect(high).toBeGreaterThanOrEqual(passed / n);
        expect(wilsonInterval(n - passed, n, alpha).low).toBeCloseTo(1 - high, 12);
      }),
    );
  });
});

describe("Newcombe's paired interval (method 10)", () => {
  test("equals a worked example of Fagerland, Lydersen and Laake 2017, chapter 8", () => {
    const interval = newcombeInterval(counts(59, 6, 16, 80), 0.05);
    expect(interval.low).toBeCloseTo(-0.1186, 4);
    expect(interval.high).toBeCloseTo(-0.0046, 4);
  });

  test("equals the worked example of Altman et al. 2000, table 6.2", () => {
    const interval = newcombeInterval(counts(14, 5, 0, 22), 0.05);
    expect(interval.low).toBeCloseTo(0.011, 3);
    expect(interval.high).toBeCloseTo(0.226, 3);
  });

  test("mirrors when the arms are swapped, holds the difference, and stays in [-1, 1]", () => {
    fc.assert(
      fc.property(anyCounts, anyAlpha, (table, alpha) => {
        const { low, high } = newcombeInterval(table, alpha);
        const difference = (table.onlyTreatment - table.onlyReference) / pairsIn(table);
        const mirror = newcombeInterval(swapped(table), alpha);
        expect(mirror.low).toBeCloseTo(-high, 12);
        expect(mirror.high).toBeCloseTo(-low, 12);
        expect(low).toBeLessThanOrEqual(difference);
        expect(high).toBeGreaterThanOrEqual(difference);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("keeps a width where every pair agrees", () => {
    const interval = newcombeInterval(counts(50, 0, 0, 50), 0.05);
    expect(interval.high).toBeGreaterThan(0.01);
    expect(interval.low).toBeCloseTo(-interval.high, 12);
  });
});

describe("McNemar's test", () => {
  test("equals the worked example of Fagerland et al. 2013", () => {
    const hyperResponsiveness = mcnemar(counts(1, 1, 7, 12));
    expect(hyperResponsiveness.exactP).toBeCloseTo(0.0703, 4);
    expect(hyperResponsiveness.midP).toBeCloseTo(0.0391, 4);
  });

  test("equals the exact test of Armitage and Berry 1994, page 127", () => {
    expect(mcnemar(counts(20, 12, 2, 16)).exactP).toBeCloseTo(0.0129, 4);
  });

  test("says 1 where no pair differs, and takes half of what was seen from it where they are split evenly", () => {
    expect(mcnemar(counts(5, 0, 0, 5))).toEqual({ exactP: 1, midP: 1 });
    // 1 - binompdf(n12, n, 1/2) / 2, the supplement of Fagerland et al. 2013.
    expect(mcnemar(counts(5, 1, 1, 5)).midP).toBeCloseTo(0.75, 12);
    expect(mcnemar(counts(5, 4, 4, 5)).midP).toBeCloseTo(1 - 70 / 256 / 2, 12);
    expect(mcnemar(counts(5, 4, 4, 5)).exactP).toBe(1);
  });

  test("is the same for both orders of the arms, and mid-p never exceeds the exact p", () => {
    fc.assert(
      fc.property(anyCounts, (table) => {
        const result = mcnemar(table);
        expect(mcnemar(swapped(table))).toEqual(result);
        expect(result.midP).toBeGreaterThan(0);
        expect(result.midP).toBeLessThanOrEqual(result.exactP);
        expect(result.exactP).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("stays a probability with thousands of pairs that differ", () => {
    const { midP, exactP } = mcnemar(counts(0, 3000, 2800, 0));
    expect(midP).toBeGreaterThan(0.0085);
    expect(exactP).toBeLessThan(0.0095);
  });
});

describe("Holm's correction", () => {
  test("equals a worked example", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]);
  });

  test("never lowers a p-value, never passes 1, and keeps the order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 }), (pValues) => {
        const adjusted = holm(pValues);
        for (const [i, p] of pValues.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          for (const [k, other] of pValues.entries()) {
            if (p < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[k] as number);
          }
        }
      }),
    );
  });
});
