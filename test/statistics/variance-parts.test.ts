import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { normalQuantile } from "../../src/statistics/normal.ts";
import { varianceParts } from "../../src/statistics/variance-parts.ts";

test("variance parts equal a table worked by hand", () => {
  // Means 1, 3, 5; within squares 2, 2, 2 over 3 items of 1 degree of freedom each; variance of the means 4.
  expect(
    varianceParts([
      [0, 2],
      [2, 4],
      [4, 6],
    ]),
  ).toEqual({ within: 2, between: 3 });
});

test("items that differ less than their samples do have no variance between them", () => {
  expect(
    varianceParts([
      [0, 2],
      [2, 0],
    ]),
  ).toEqual({ within: 2, between: 0 });
});

test("variance parts find the truth on average, and name the spread of a mean that is really seen", () => {
  const draws = random("simulation", "variance parts");
  const normal = () => normalQuantile(draws.next() || 0.5);
  const [items, samples, repeats] = [60, 4, 400] as const;
  const truth = { between: 0.09, within: 0.25 };
  const drawn = Array.from({ length: repeats }, () => {
    const scores = Array.from({ length: items }, () => {
      const own = Math.sqrt(truth.between) * normal();
      return Array.from({ length: samples }, () => own + Math.sqrt(truth.within) * normal());
    });
    const mean = sumOf(scores.flat()) / (items * samples);
    return { ...varianceParts(scores), mean };
  });
  const average = (pick: (one: (typeof drawn)[number]) => number) => sumOf(drawn, (one) => pick(one)) / repeats;
  expect(average(({ between }) => between)).toBeCloseTo(truth.between, 2);
  expect(average(({ within }) => within)).toBeCloseTo(truth.within, 2);
  const seen = average(({ mean }) => mean ** 2) - average(({ mean }) => mean) ** 2;
  const named = (truth.between + truth.within / samples) / items;
  expect(seen / named).toBeGreaterThan(0.8);
  expect(seen / named).toBeLessThan(1.2);
});
