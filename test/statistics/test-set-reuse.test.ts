import { expect, test } from "vitest";
import { sumOf } from "../../src/foundation/sums.ts";
import { reuseAlpha } from "../../src/statistics/test-set-reuse.ts";

test("the alphas of all candidates on one test set sum to the whole", () => {
  expect(reuseAlpha(0.05, 1)).toBeCloseTo(0.025, 15);
  expect(reuseAlpha(0.05, 2)).toBeCloseTo(0.05 / 6, 15);
  const sum = sumOf(Array.from({ length: 5000 }, (_, i) => reuseAlpha(0.05, i + 1)));
  expect(sum).toBeLessThan(0.05);
  expect(sum).toBeCloseTo(0.05, 4);
});
