import fc from "fast-check";
import { expect, it } from "vitest";
import { textNumbers } from "../../src/foundation/text-numbers.ts";

it("holds for each text the number that was set last, as a Map does", () => {
  const entries = fc.array(
    fc.tuple(fc.string({ maxLength: 3, unit: "binary" }), fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 })),
    {
      maxLength: 300,
    },
  );
  fc.assert(
    fc.property(entries, (given) => {
      const table = textNumbers();
      const map = new Map<string, number>();
      for (const [text, number] of given) {
        expect(table.get(text)).toBe(map.get(text));
        table.set(text, number);
        map.set(text, number);
      }
      expect(table.size).toBe(map.size);
      for (const [text, number] of map) expect(table.get(text)).toBe(number);
    }),
  );
});

it("grows, and loses nothing by it", () => {
  const table = textNumbers();
  for (let n = 0; n < 20_000; n++) table.set(`text ${n}`, n);
  for (let n = 0; n < 20_000; n++) table.set(`text ${n}`, 2 * n);
  expect(table.size).toBe(20_000);
  const wrong = Array.from({ length: 20_000 }, (_, n) => n).filter((n) => table.get(`text ${n}`) !== 2 * n);
  expect(wrong).toEqual([]);
  expect(table.get("text 20000")).toBeUndefined();
});
