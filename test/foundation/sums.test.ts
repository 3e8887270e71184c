/** Sums and means, with the edges that callers rely on. */
import { describe, expect, it } from "vitest";
import { meanOf, meanOrNull, sumOf } from "../../src/foundation/sums.ts";

describe("a sum", () => {
  it("is of numbers, or of what is said of each row and its place", () => {
    expect(sumOf([1, 2, 4])).toBe(7);
    expect(sumOf(new Set(["a", "bcd"]), ({ length }) => length)).toBe(4);
    expect(sumOf(["x", "y", "z"], (_, place) => place)).toBe(3);
    expect(sumOf([])).toBe(0);
  });
});

describe("a mean", () => {
  it("of nothing is no number, or null where that is asked for", () => {
    expect(meanOf([1, 2, 6])).toBe(3);
    expect(meanOf([{ n: 1 }, { n: 2 }], ({ n }) => n)).toBe(1.5);
    expect(meanOf([])).toBeNaN();
    expect(meanOrNull([])).toBeNull();
    expect(meanOrNull([0])).toBe(0);
  });
});
