import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sumOf } from "../../src/foundation/sums.ts";
import { anytimeInterval, confidenceSequence, effectEValue } from "../../src/statistics/confidence-sequence.ts";
import { pseudoOutcomes } from "../../src/statistics/pseudo-outcomes.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";
import { anyDraws } from "./simulated-draws.ts";

const STAKES = [0.15, 0.3, 0.6, 1.2].map((stake) => stake / 2);

/** What the world would answer: how an attempt ends with the tip, and without it. */
interface Potential {
  item: string;
  attemptNumber: number;
  dropProbability: number;
  shown: number;
  dropped: number;
}

/**
 * Every history that chance can make of a world, with its probability: the world says which attempt comes after a
 * history, and none after the last.
 */
function histories(next: (history: TipDraw[]) => Potential | null): { draws: TipDraw[]; chance: number }[] {
  const grow = (draws: TipDraw[], chance: number): { draws: TipDraw[]; chance: number }[] => {
    const attempt = next(draws);
    if (attempt === null) return [{ draws, chance }];
    const { item, attemptNumber, dropProbability } = attempt;
    const known = { item, attemptNumber, dropProbability };
    return [
      ...grow([...draws, { ...known, isShown: true, outcome: attempt.shown }], chance * (1 - dropProbability)),
      ...grow([...draws, { ...known, isShown: false, outcome: attempt.dropped }], chance * dropProbability),
    ];
  };
  return grow([], 1);
}

const expectation = (all: { draws: TipDraw[]; chance: number }[], of: (draws: TipDraw[]) => number) =>
  sumOf(all, ({ draws, chance }) => chance * of(draws));

/** The tip harms item "a" and helps the others; an item is tried again until it passes, at most three times. */
const untilPassed = (history: TipDraw[]): Potential | null => {
  const last = history.at(-1);
  const isOver = last !== undefined && (last.outcome === 1 || last.attemptNumber === 3);
  const item = last === undefined ? "a" : isOver ? String.fromCharCode(last.item.charCodeAt(0) + 1) : last.item;
  if (item === "e") return null;
  const attemptNumber = last === undefined || isOver ? 1 : last.attemptNumber + 1;
  const potential = item === "a" ? { shown: 0, dropped: 1 } : { shown: 1, dropped: attemptNumber === 2 ? 1 : 0 };
  return { item, attemptNumber, dropProbability: item < "c" ? 0.5 : 0.2, ...potential };
};
const effectOf = (draw: TipDraw, history: TipDraw[]): number => {
  const attempt = untilPassed(history);
  return attempt === null ? 0 : attempt.shown - attempt.dropped + 0 * draw.outcome;
};
const effectsOf = (draws: TipDraw[]) => draws.map((draw, i) => effectOf(draw, draws.slice(0, i)));

describe("a pseudo-outcome", () => {
  test("equals small examples worked by hand", () => {
    const draws = [
      { item: "a", attemptNumber: 1, isShown: true, dropProbability: 0.5, outcome: 1 },
      { item: "b", attemptNumber: 1, isShown: false, dropProbability: 0.2, outcome: 0 },
    ];
    const [first, second] = pseudoOutcomes(draws);
    // Baseline 1/2: (1 - 1/2) / 0.5; either way between -1 and 1.
    expect(first).toEqual({ value: 1, low: -1, high: 1, forecast: 0, dropProbability: 0.5 });
    // Baseline (1 + 1/2) / 2: dropped and failed, 0.75 / 0.2; at worst dropped and passed, -0.25 / 0.2.
    expect(second?.value).toBeCloseTo(3.75, 12);
    expect(second?.low).toBeCloseTo(-1.25, 12);
    expect(second?.high).toBeCloseTo(3.75, 12);
    expect(second?.forecast).toBeCloseTo(1 / 21, 14);
  });

  test("has the tip's effect for its mean, though ends of attempts decide which attempts follow", () => {
    const all = histories(untilPassed);
    expect(all.length).toBeGreaterThan(100);
    expect(expectation(all, () => 1)).toBeCloseTo(1, 12);
    const excess = expectation(
      all,
      (draws) => sumOf(pseudoOutcomes(draws).map(({ value }) => value)) - sumOf(effectsOf(draws)),
    );
    expect(excess).toBeCloseTo(0, 12);
  });

  test("keeps to its bounds, which lie on both sides of -1 and 1, and to a forecast in [-1, 1]", () => {
    fc.assert(
      fc.property(anyDraws, (draws) => {
        for (const { value, low, high, forecast } of pseudoOutcomes(draws)) {
          expect(value).toBeGreaterThanOrEqual(low - 1e-12);
          expect(value).toBeLessThanOrEqual(high + 1e-12);
          expect(low).toBeLessThanOrEqual(-1 + 1e-12);
          expect(high).toBeGreaterThanOrEqual(1 - 1e-12);
          expect(Math.abs(forecast)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe("the e-value of a tip's effect", () => {
  const passed: TipDraw = { item: "a", attemptNumber: 1, isShown: true, dropProbability: 0.5, outcome: 1 };
  const failed: TipDraw = { item: "b", attemptNumber: 1, isShown: false, dropProbability: 0.5, outcome: 0 };

  test("equals small examples worked by hand", () => {
    const mean = (wealth: (stake: number) => number) => sumOf(STAKES.map(wealth)) / STAKES.length;
    expect(effectEValue([passed], { threshold: 0, side: "above" })).toBeCloseTo(1.28125, 12);
    expect(effectEValue([passed], { threshold: 0, side: "below" })).toBeCloseTo(0.71875, 12);
    // Second draw: value 1.5, forecast 1/21, at the threshold 0.1.
    const wealth = mean((s) => (1 + s) * Math.exp(s / 21) * (1 + s * (1.5 - 1 / 21)) * Math.exp(-2 * s * 0.1));
    expect(effectEValue([passed, failed], { threshold: 0.1, side: "above" })).toBeCloseTo(wealth, 12);
  });

  test("is 1 where nothing was randomised", () => {
    expect(effectEValue([], { threshold: 0, side: "above" })).toBe(1);
    expect(effectEValue([{ ...passed, dropProbability: 0 }], { threshold: 0, side: "below" })).toBe(1);
  });

  test("is not expected to grow with a draw that the tip has no effect on, whatever came before", () => {
    fc.assert(
      fc.property(anyDraws, fc.constantFrom<"above" | "below">("above", "below"), (draws, side) => {
        const last = draws.at(-1) as TipDraw;
        const before = draws.slice(0, -1);
        const valueWith = (isShown: boolean) => effectEValue([...before, { ...last, isShown }], { threshold: 0, side });
        const expected = (1 - last.dropProbability) * valueWith(true) + last.dropProbability * valueWith(false);
        // With the first draw the stakes are chosen, so before it the wealth is 1 whatever they will be.
        const now = before.length === 0 ? 1 : effectEValue(before, { threshold: 0, side });
        expect(expected).toBeLessThanOrEqual(now * (1 + 1e-12));
      }),
      { numRuns: 500 },
    );
  });

  test("is expected to be at most 1 at the average effect, where effects differ and the world reacts", () => {
    const all = histories(untilPassed);
    for (const side of ["above", "below"] as const) {
      const expected = expectation(all, (draws) =>
        effectEValue(draws, { threshold: sumOf(effectsOf(draws)) / draws.length, side }),
      );
      expect(expected).toBeLessThanOrEqual(1 + 1e-12);
      expect(expected).toBeGreaterThan(0.5);
    }
  });

  test("gives up bets that a rarer drop would let lose more than they have", () => {
    // A drop of chance 0.01 and a baseline of 0.75 bound the number below by -25, and by 75 above: no stake stands that.
    const rare: TipDraw = { item: "b", attemptNumber: 1, isShown: true, dropProbability: 0.01, outcome: 1 };
    expect(effectEValue([passed, rare], { threshold: 0, side: "above" })).toBe(0);
    expect(anytimeInterval([passed, rare], 0.05)).toEqual({ low: -1, high: 1 });
  });
});

describe("the confidence sequence", () => {
  test("says nothing before the first draw, and after it as good as nothing", () => {
    expect(anytimeInterval([], 0.05)).toEqual({ low: -1, high: 1 });
    expect(confidenceSequence([], 0.05)).toEqual([]);
  });

  test("has one entry a randomised draw, each of them the interval of the draws so far", () => {
    fc.assert(
      fc.property(anyDraws, (draws) => {
        const certain: TipDraw = { ...(draws[0] as TipDraw), dropProbability: 0 };
        const looks = confidenceSequence([certain, ...draws], 0.1);
        expect(looks.length).toBe(draws.length);
        const middle = Math.floor(draws.length / 2);
        expect(looks[middle]).toEqual(anytimeInterval(draws.slice(0, middle + 1), 0.1));
      }),
      { numRuns: 50 },
    );
  });

  test("has its bound beyond a threshold exactly where the e-value reaches one over alpha", () => {
    const draws = Array.from({ length: 60 }, (_, i) => ({
      item: `item ${i}`,
      attemptNumber: 1,
      isShown: i % 2 === 0,
      dropProbability: 0.5,
      outcome: i % 10 === 0 || i % 2 === 1 ? 1 : 0,
    }));
    const { low, high } = anytimeInterval(draws, 0.05);
    expect(high).toBeLessThan(0);
    expect(low).toBe(-1);
    expect(effectEValue(draws, { threshold: high, side: "below" })).toBeCloseTo(1 / 0.025, 5);
    expect(effectEValue(draws, { threshold: high + 0.01, side: "below" })).toBeGreaterThan(1 / 0.025);
  });

  test("mirrors when passes and failures trade places, and stays in [-1, 1]", () => {
    fc.assert(
      fc.property(anyDraws, (draws) => {
        const { low, high } = anytimeInterval(draws, 0.2);
        const mirror = anytimeInterval(
          draws.map((draw) => ({ ...draw, outcome: 1 - draw.outcome })),
          0.2,
        );
        expect(mirror.low).toBeCloseTo(-high, 7);
        expect(mirror.high).toBeCloseTo(-low, 7);
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });
});
