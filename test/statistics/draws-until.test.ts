import { expect, it } from "vitest";
import { drawsUntilTold } from "../../src/statistics/draws-until.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";

/** Draws that show and drop a tip in turn, of which so many out of ten pass. */
function tens(count: number, passes: { shown: number; dropped: number }): TipDraw[] {
  return Array.from({ length: 20 * count }, (_, i) => {
    const isShown = i % 2 === 0;
    const place = Math.floor(i / 2) % 10;
    const outcome = (place * 7) % 10 < (isShown ? passes.shown : passes.dropped) ? 1 : 0;
    return { item: `item ${i}`, attemptNumber: 1, isShown, dropProbability: 0.5, outcome };
  });
}

const ASKED = { alpha: 0.05, threshold: 0 };

it("a larger effect is told after fewer further draws", () => {
  const large = drawsUntilTold(tens(1, { shown: 2, dropped: 8 }), ASKED) ?? 0;
  const small = drawsUntilTold(tens(1, { shown: 4, dropped: 6 }), ASKED) ?? 0;
  expect(large).toBeGreaterThan(10);
  expect(large).toBeLessThan(100);
  expect(small).toBeGreaterThan(3 * large);
});

it("an effect that is told already takes no further draw", () => {
  expect(drawsUntilTold(tens(10, { shown: 2, dropped: 8 }), ASKED)).toBe(0);
});

it("draws without an effect tell none, however many more there are", () => {
  expect(drawsUntilTold(tens(5, { shown: 5, dropped: 5 }), ASKED)).toBeNull();
});

it("nothing can be said of draws that were not randomised", () => {
  const draws = tens(5, { shown: 2, dropped: 8 }).map((draw) => ({ ...draw, dropProbability: 0 }));
  expect(drawsUntilTold(draws, ASKED)).toBeNull();
});
