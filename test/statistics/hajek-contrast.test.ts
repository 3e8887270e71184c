import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FEWEST_DRAWS, hajekContrast } from "../../src/statistics/hajek-contrast.ts";
import { stratumBaselines } from "../../src/statistics/stratum-baseline.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";
import { anyDraws } from "./simulated-draws.ts";

/** One line a draw: item, attempt number, shown or dropped, drop probability, outcome. */
function parseDraws(lines: string): TipDraw[] {
  return lines
    .trim()
    .split(/\s*\|\s*/)
    .map((line) => line.split(" "))
    .map(([item = "", attempt, arm, probability, outcome]) => ({
      item,
      attemptNumber: Number(attempt),
      isShown: arm === "shown",
      dropProbability: Number(probability),
      outcome: Number(outcome),
    }));
}

function oneAnItem(shown: number[], dropped: number[], dropProbability = 0.5): TipDraw[] {
  return [...shown.map((outcome) => [true, outcome]), ...dropped.map((outcome) => [false, outcome])].map(
    ([isShown, outcome], i) => ({
      item: `item ${i}`,
      attemptNumber: 1,
      isShown: isShown as boolean,
      dropProbability,
      outcome: outcome as number,
    }),
  );
}

const TWO_RUNS = parseDraws(`
  a 1 shown .5 1 | b 1 dropped .5 0 | b 2 shown .5 1 | c 1 shown .5 0 | c 2 dropped .5 0 | c 3 shown .5 0 |
  d 1 dropped .5 1 | e 1 shown .5 1 | f 1 dropped .5 0 | f 2 dropped .5 1 | g 1 shown .5 0 | g 2 shown .5 1 |
  a 1 shown .2 1 | b 1 shown .2 0 | b 2 dropped .2 0 | b 3 shown .2 1 | c 1 shown .2 0 | c 2 shown .2 .5 |
  d 1 shown .2 1 | e 1 dropped .2 1 | f 1 shown .2 0 | f 2 shown .2 1 | g 1 dropped .2 0 | g 2 shown .2 1 |
  h 1 shown .2 0 | h 2 dropped .2 0`);

describe("the contrast of a tip's draws", () => {
  test("equals a small example worked by hand", () => {
    // Means 0.6 and 0.2. Without one of five, a mean moves by (mean - outcome) / 4: squares 1.2 / 16 and 0.8 / 16.
    const effect = hajekContrast(oneAnItem([1, 1, 0, 1, 0], [0, 0, 1, 0, 0]), 0.05);
    expect(effect.kind).toBe("randomised");
    expect(effect.estimate).toBeCloseTo(0.4, 14);
    expect(effect.standardError).toBeCloseTo(Math.sqrt((9 / 10) * (0.075 + 0.05)), 14);
    // Satterthwaite: variances 0.06 and 0.04 with 4 degrees of freedom each.
    expect(effect.degreesOfFreedom).toBeCloseTo(0.1 ** 2 / (0.06 ** 2 / 4 + 0.04 ** 2 / 4), 10);
    expect(effect).toMatchObject({ shown: 5, dropped: 5, items: 10, reason: null });
  });

  test("equals a weighted regression refitted without each item in turn (statsmodels 0.15, WLS on residuals)", () => {
    const effect = hajekContrast(TWO_RUNS, 0.05);
    expect(effect.estimate).toBeCloseTo(0.3042654663244325, 12);
    expect(effect.standardError).toBeCloseTo(0.21312054330973665, 12);
    expect(effect.degreesOfFreedom).toBe(7);
    expect(effect.interval?.low).toBeCloseTo(-0.199684538898401, 9);
    expect(effect.interval?.high).toBeCloseTo(0.808215471547266, 9);
    expect(effect).toMatchObject({ shown: 17, dropped: 9, items: 8 });
  });

  test("weighs a draw by one over the chance of what happened to it", () => {
    // Two runs: a tenth is dropped where all fail, nine tenths where all pass; unweighted, dropping would seem to help.
    const hard = oneAnItem(new Array(90).fill(0), new Array(10).fill(0), 0.1);
    const easy = oneAnItem(new Array(10).fill(1), new Array(90).fill(1), 0.9);
    expect(hajekContrast([...hard, ...easy].map(unique), 0.05).estimate).toBeCloseTo(0, 12);
  });

  test("counts only randomised draws where there are any", () => {
    const certain = parseDraws("x 1 shown 0 1 | y 1 shown 0 1 | z 1 dropped 1 0");
    expect(hajekContrast([...certain, ...TWO_RUNS], 0.05)).toEqual(hajekContrast(TWO_RUNS, 0.05));
  });

  test("is observational, unweighted, where nothing was drawn", () => {
    const effect = hajekContrast(oneAnItem([1, 1, 0, 1, 0], [0, 0, 1, 0, 0], 0), 0.05);
    expect(effect.kind).toBe("observational");
    expect(effect.estimate).toBeCloseTo(0.4, 14);
  });

  test("says why there is no estimate or no interval", () => {
    const reasonOf = (draws: TipDraw[]) => {
      const { estimate, interval, reason } = hajekContrast(draws, 0.05);
      return { isEstimated: estimate !== null, hasInterval: interval !== null, reason };
    };
    expect(reasonOf([])).toEqual({ isEstimated: false, hasInterval: false, reason: "it was never retrieved" });
    expect(reasonOf(oneAnItem([1, 0], []))).toMatchObject({ isEstimated: false, reason: "no draw left it out" });
    expect(reasonOf(oneAnItem([], [1, 0]))).toMatchObject({ isEstimated: false, reason: "no draw showed it" });
    expect(reasonOf(oneAnItem([1, 0, 1, 0], [0, 0, 0, 1, 0]))).toMatchObject({
      isEstimated: true,
      hasInterval: false,
      reason: `fewer than ${FEWEST_DRAWS} draws showed it, or left it out`,
    });
    const oneItem = oneAnItem([1, 0, 1, 1, 0], [0, 0, 0, 1, 0]).map((draw) => ({ ...draw, item: "the one" }));
    expect(reasonOf(oneItem)).toMatchObject({ isEstimated: true, hasInterval: false });
  });

  test("keeps a width where all draws of a kind ended alike", () => {
    const { interval } = hajekContrast(oneAnItem(new Array(12).fill(0), new Array(12).fill(0)), 0.05);
    expect(interval?.high).toBeGreaterThan(0.1);
    expect(interval?.low).toBeCloseTo(-(interval?.high as number), 12);
  });

  test("mirrors when passes and failures trade places, holds the estimate, and stays in [-1, 1]", () => {
    fc.assert(
      fc.property(anyDraws, (draws) => {
        const { estimate, interval } = hajekContrast(draws, 0.05);
        const mirror = hajekContrast(
          draws.map((draw) => ({ ...draw, outcome: 1 - draw.outcome })),
          0.05,
        );
        if (estimate !== null) expect(mirror.estimate).toBeCloseTo(-estimate, 9);
        if (estimate === null || interval === null) return;
        expect(mirror.interval?.low).toBeCloseTo(-interval.high, 9);
        expect(interval.low).toBeLessThanOrEqual(estimate);
        expect(interval.high).toBeGreaterThanOrEqual(estimate);
        expect(interval.low).toBeGreaterThanOrEqual(-1);
        expect(interval.high).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("the baseline of a draw", () => {
  test("is worked from the draws before it alone", () => {
    const [first, second, third] = stratumBaselines(parseDraws("a 1 shown .5 1 | a 2 shown .5 0 | a 1 shown .5 0"));
    expect(first).toEqual({ overall: 0.5, deviation: 0 });
    // One pass so far: the mean is 1, and neither attempt number nor item have deviated from it.
    expect(second).toEqual({ overall: 0.75, deviation: 0 });
    expect(third?.overall).toBe(0.5);
    // Mean 1/2. First attempts lie (1 - 1/2) / 11 above it, second ones as far below, so nothing is left to the item;
    // to both together, the rest of the one first attempt: (1 - 1/2 - 1/22) / 11.
    expect(third?.deviation).toBeCloseTo(1 / 22 + (1 / 2 - 1 / 22) / 11, 14);
  });

  test("of a draw does not change with what comes after it, nor with its own outcome", () => {
    fc.assert(
      fc.property(anyDraws, fc.nat(), (draws, place) => {
        const cut = place % draws.length;
        const changed = draws.map((draw, i) => (i < cut ? draw : { ...draw, outcome: 1 - draw.outcome }));
        expect(stratumBaselines(changed)[cut]).toEqual(stratumBaselines(draws)[cut]);
      }),
    );
  });

  test("comes to the mean of its item and attempt number as draws accumulate", () => {
    const draws = Array.from({ length: 4000 }, (_, i) => {
      const attemptNumber = 1 + (i % 2);
      const item = i % 4 < 2 ? "easy" : "hard";
      const outcome = item === "easy" && attemptNumber === 1 ? 1 : 0;
      return { item, attemptNumber, isShown: i % 3 === 0, dropProbability: 0.5, outcome };
    });
    const last = stratumBaselines(draws)
      .slice(-4)
      .map(({ overall, deviation }) => overall + deviation);
    for (const [i, expected] of [1, 0, 0, 0].entries()) expect(last[i]).toBeCloseTo(expected, 1);
  });
});

function unique(draw: TipDraw, i: number): TipDraw {
  return { ...draw, item: `item ${i}` };
}
