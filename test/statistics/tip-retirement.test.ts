import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { benjaminiHochberg, eBenjaminiHochberg } from "../../src/statistics/benjamini-hochberg.ts";
import { anytimeInterval, effectEValue } from "../../src/statistics/confidence-sequence.ts";
import { isBelowMeanUtility } from "../../src/statistics/mean-utility.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";
import { judgeTips } from "../../src/statistics/tip-retirement.ts";
import { anyDraws } from "./simulated-draws.ts";

const anyRates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

/** Draws by turns shown and dropped, all of one kind ending alike. */
function drawsWith(count: number, outcomes: { shown: number; dropped: number }, dropProbability = 0.5): TipDraw[] {
  return Array.from({ length: count }, (_, i) => ({
    item: `item ${i}`,
    attemptNumber: 1,
    isShown: i % 2 === 0,
    dropProbability,
    outcome: i % 2 === 0 ? outcomes.shown : outcomes.dropped,
  }));
}

describe("the false discovery rate", () => {
  // Benjamini and Hochberg 1995, section 3.2: fifteen comparisons of a thrombolytic trial.
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];

  test("calls the four of the published example at 5 %", () => {
    expect(benjaminiHochberg(published).filter((rate) => rate <= 0.05)).toHaveLength(4);
  });

  test("gives each test the rate that scipy 1.17 gives it", () => {
    const expected = [
      0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645, 0.0765, 0.486,
      0.5811818181818181, 0.7148749999999999, 0.7532307692307693, 0.8132142857142857, 1,
    ];
    const reversed = benjaminiHochberg([...published].reverse()).reverse();
    for (const [i, rate] of benjaminiHochberg(published).entries()) {
      expect(rate).toBeCloseTo(expected[i] as number, 14);
      expect(reversed[i]).toBe(rate);
    }
  });

  test("never lies below the p-value nor above 1, and keeps the order", () => {
    fc.assert(
      fc.property(anyRates, (pValues) => {
        const rates = benjaminiHochberg(pValues);
        for (const [i, p] of pValues.entries()) {
          expect(rates[i]).toBeGreaterThanOrEqual(p);
          expect(rates[i]).toBeLessThanOrEqual(1);
          for (const [k, other] of pValues.entries())
            if (p < other) expect(rates[i]).toBeLessThanOrEqual(rates[k] as number);
        }
      }),
    );
  });

  test("from e-values calls the largest k of which each is at least tests / (k alpha)", () => {
    // Of four at 10 %: one must reach 40, two must reach 20, three 13.3, four 10.
    const called = (eValues: number[]) => eBenjaminiHochberg(eValues).filter((rate) => rate <= 0.1).length;
    expect(called([39, 1, 1, 1])).toBe(0);
    expect(called([41, 1, 1, 1])).toBe(1);
    expect(called([21, 39, 1, 1])).toBe(2);
    expect(called([11, 11, 11, 11])).toBe(4);
    expect(called([0, 0, Number.MAX_VALUE, 0])).toBe(1);
  });
});

describe("the judgement of tips", () => {
  const harmful = { tip: "harmful", draws: drawsWith(80, { shown: 0, dropped: 1 }) };
  const helpful = { tip: "helpful", draws: drawsWith(80, { shown: 1, dropped: 0 }) };
  const useless = { tip: "useless", draws: drawsWith(80, { shown: 0.5, dropped: 0.5 }) };
  const young = { tip: "young", draws: drawsWith(18, { shown: 0, dropped: 1 }) };
  const undrawn = { tip: "undrawn", draws: drawsWith(80, { shown: 0, dropped: 1 }, 0) };
  const callsOf = (...parameters: Parameters<typeof judgeTips>) =>
    Object.fromEntries(judgeTips(...parameters).map(({ tip, call }) => [tip, call]));

  test("retires what harms, calls helpful what helps, and leaves open what is not shown", () => {
    expect(callsOf([harmful, helpful, useless, young, undrawn], { alpha: 0.05 })).toEqual({
      harmful: "retired",
      helpful: "helpful",
      useless: "undecided",
      young: "undecided",
      undrawn: "undecided",
    });
  });

  test("calls a tip as soon as enough draws of both kinds are asked for and given", () => {
    const [eight, nine] = [8, 9].map((atLeast) => judgeTips([young], { alpha: 0.5, atLeast })[0]?.call);
    expect([eight, nine]).toEqual(["retired", "retired"]);
    expect(judgeTips([young], { alpha: 0.5, atLeast: 10 })[0]).toMatchObject({
      call: "undecided",
      shown: 9,
      dropped: 9,
      retiredRate: 1,
    });
  });

  test("retires a useless tip where a tip has to be worth a threshold", () => {
    const many = { tip: "useless", draws: drawsWith(400, { shown: 0.5, dropped: 0.5 }) };
    expect(callsOf([many], { alpha: 0.05, threshold: 0.1 })).toEqual({ useless: "retired" });
    expect(callsOf([many], { alpha: 0.05, threshold: -0.1 })).toEqual({ useless: "helpful" });
    expect(callsOf([many], { alpha: 0.05 })).toEqual({ useless: "undecided" });
  });

  test("asks more of each tip the more tips are judged beside it, but not for those without draws", () => {
    const rateBeside = (others: { tip: string; draws: TipDraw[] }[]) =>
      judgeTips([harmful, ...others], { alpha: 0.05 })[0]?.retiredRate as number;
    const alone = 1 / effectEValue(harmful.draws, { threshold: 0, side: "below" });
    expect(rateBeside([])).toBeCloseTo(alone, 14);
    expect(rateBeside([useless, helpful])).toBeCloseTo(3 * alone, 14);
    expect(rateBeside([undrawn])).toBeCloseTo(alone, 14);
  });

  test("agrees with the bounds: a tip alone is retired exactly where its one-sided bound lies below the threshold", () => {
    fc.assert(
      fc.property(anyDraws, fc.constantFrom(-0.3, 0, 0.4), (draws, threshold) => {
        const [verdict] = judgeTips([{ tip: "it", draws }], { alpha: 0.3, atLeast: 0, threshold });
        // A two-sided interval at twice alpha has one-sided bounds at alpha.
        const { low, high } = anytimeInterval(draws, 0.6);
        expect(verdict?.call).toBe(high < threshold ? "retired" : low > threshold ? "helpful" : "undecided");
        expect(verdict?.interval).toEqual(anytimeInterval(draws, 0.3));
      }),
    );
  });
});

describe("the classic rule", () => {
  test("lets a tip go when enough attempts that read it ended badly on average", () => {
    expect(isBelowMeanUtility([0, 0, 0.5], { atLeast: 3, below: 0.3 })).toBe(true);
    expect(isBelowMeanUtility([0, 0, 0.9], { atLeast: 3, below: 0.3 })).toBe(false);
    expect(isBelowMeanUtility([0, 0], { atLeast: 3, below: 0.3 })).toBe(false);
    expect(isBelowMeanUtility([], { atLeast: 0, below: 0.3 })).toBe(false);
  });
});
