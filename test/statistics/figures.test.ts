import { expect, test } from "vitest";
import { levelOf, percent, percentInterval, points, pointsInterval, pointsSize } from "../../src/statistics/figures.ts";

test("rates are percent with one digit", () => {
  expect([0, 0.0481, 1, null].map(percent)).toEqual(["0.0 %", "4.8 %", "100.0 %", "-"]);
  expect(percentInterval({ low: 0.026, high: 0.0861 })).toBe("2.6 to 8.6 %");
});

test("differences are points with a sign, and none where they round to zero", () => {
  expect([0.144, -0.0241, 0, 0.0001, -0.0001].map(points)).toEqual(["+14.4", "-2.4", "0.0", "0.0", "0.0"]);
  expect(pointsInterval({ low: -0.087, high: 0.039 })).toBe("-8.7 to +3.9");
  expect(pointsInterval(null)).toBe("cannot be told");
});

test("the size of a difference has no sign", () => {
  expect([0.063, -0.063].map(pointsSize)).toEqual(["6.3", "6.3"]);
});

test("a level is what an alpha leaves, without digits that say nothing", () => {
  expect([0.05, 0.1, 0.025].map(levelOf)).toEqual(["95 %", "90 %", "97.5 %"]);
});
