import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bagDifference,
  blocksDifference,
  equalRows,
  isColumnPermutation,
  type Row,
  tieBlocks,
  type Value,
} from "../../../skills/sql/result-sets.ts";

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, min: -100, max: 100 }),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.string({ maxLength: 3 }),
);
const rows = fc
  .integer({ min: 1, max: 3 })
  .chain((width) => fc.array(fc.array(value, { minLength: width, maxLength: width }), { maxLength: 12 }));

describe("a bag of rows", () => {
  it("is the same in any order", () => {
    const shuffled = rows.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(fc.property(shuffled, ([list, other]) => bagDifference(list, other) === null));
  });

  it("is another without one of its rows, or with one of them twice", () => {
    fc.assert(
      fc.property(rows, fc.nat(), (list, n) => {
        fc.pre(list.length > 0);
        const row = list[n % list.length] as Row;
        const without = list.filter((_, i) => i !== n % list.length);
        expect(bagDifference(list, without)).not.toBeNull();
        expect(bagDifference(list, [...list, row])).not.toBeNull();
      }),
    );
  });

  it("is the same where numbers differ by rounding, whichever way they sort", () => {
    const left: Row[] = [
      [1.0000000001, "b"],
      [1, "a"],
      [0.5, null],
    ];
    const right: Row[] = [
      [1.0000000002, "a"],
      [0.5000000001, null],
      [1, "b"],
    ];
    expect(bagDifference(left, right)).toBeNull();
  });
});

describe("values", () => {
  it("are numbers by value, whatever their type", () => {
    expect(equalRows([3, 2n ** 60n, 0.1 + 0.2], [3n, 2n ** 60n, 0.3])).toBe(true);
    expect(equalRows([0], [-0])).toBe(true);
    expect(equalRows([Number.NaN], [Number.NaN])).toBe(true);
  });

  it("are whole numbers to the last digit", () => {
    expect(equalRows([100_000_001], [100_000_002])).toBe(false);
    expect(equalRows([2n ** 60n], [2n ** 60n + 1n])).toBe(false);
  });

  it("are not the same as their text, and null is not zero", () => {
    expect(equalRows([1], ["1"])).toBe(false);
    expect(equalRows([null], [0])).toBe(false);
    expect(equalRows([true], [1])).toBe(false);
    expect(equalRows(["date 2024-01-01"], ["2024-01-01"])).toBe(false);
  });
});

describe("an ordered result", () => {
  const sorted: Row[] = [
    ["a", 1],
    ["b", 1],
    ["c", 2],
    ["d", 3],
    ["e", 3],
  ];
  const reordered: Row[] = [
    ["b", 1],
    ["a", 1],
    ["c", 2],
    ["e", 3],
    ["d", 3],
  ];
  const blocks = tieBlocks(sorted, [reordered]) ?? [];

  it("falls into blocks of ties", () => {
    expect(blocks.map((block) => block.length)).toEqual([2, 1, 2]);
  });

  it("may come with its ties in any order", () => {
    expect(blocksDifference(blocks, reordered)).toBeNull();
    expect(blocksDifference(blocks, [...sorted].reverse())).toMatchObject({ row: 0 });
    expect(
      blocksDifference(blocks, [
        ["a", 1],
        ["c", 2],
        ["b", 1],
        ["d", 3],
        ["e", 3],
      ]),
    ).toMatchObject({ row: 1 });
  });

  it("has no blocks where the two results are not the same rows", () => {
    expect(tieBlocks([["a"]], [[["b"]]])).toBeNull();
    expect(tieBlocks([["a"]], [[["a"], ["b"]]])).toBeNull();
  });

  it("differs where rows are missing or too many", () => {
    expect(blocksDifference(blocks, sorted.slice(0, 4))).not.toBeNull();
    expect(blocksDifference(blocks, [...sorted, ["f", 4]])).toMatchObject({ row: 5, expected: null });
  });
});

it("sees that columns were only swapped", () => {
  const expected: Row[] = [
    ["a", 1],
    ["b", 2],
  ];
  expect(
    isColumnPermutation(expected, [
      [2, "b"],
      [1, "a"],
    ]),
  ).toBe(true);
  expect(
    isColumnPermutation(expected, [
      [2, "b"],
      [2, "a"],
    ]),
  ).toBe(false);
});
