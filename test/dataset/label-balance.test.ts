import { describe, expect, it } from "vitest";
import { labelBalance } from "../../src/dataset/label-balance.ts";
import { random } from "../../src/foundation/random.ts";

describe("weights for KTO", () => {
  it.each([
    [{ good: 100, bad: 100 }, 1, 1],
    [{ good: 120, bad: 100 }, 1, 1],
    [{ good: 10, bad: 100 }, 11.667, 1],
    [{ good: 100, bad: 10 }, 1, 8.571],
    [{ good: 0, bad: 5 }, 1, 1],
    [{ good: 5, bad: 0 }, 1, 1],
  ])("of %o are %d and %d", (counts, goodWeight, badWeight) => {
    expect(labelBalance(counts)).toEqual({ ...counts, goodWeight, badWeight });
  });

  it("bring the weighted ratio into [1, 4/3], whatever the counts", () => {
    const { integer } = random(1, "labels");
    for (let n = 0; n < 500; n++) {
      const { good, bad, goodWeight, badWeight } = labelBalance({ good: integer(1, 2000), bad: integer(1, 2000) });
      const ratio = (good * goodWeight) / (bad * badWeight);
      expect(ratio).toBeGreaterThanOrEqual(1);
      expect(ratio).toBeLessThanOrEqual(4 / 3);
      expect(Math.min(goodWeight, badWeight)).toBe(1);
    }
  });
});
