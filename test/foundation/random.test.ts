import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";

test("the same key gives the same stream, another key another", () => {
  const stream = (...key: (string | number)[]) => {
    const draw = random(...key);
    return Array.from({ length: 5 }, () => draw.next());
  };
  expect(stream(1, "tips")).toEqual(stream(1, "tips"));
  expect(stream(1, "tips")).not.toEqual(stream(2, "tips"));
  expect(stream(1, "2")).not.toEqual(stream(1, 2));
});

test("draws are uniform: each tenth of [0, 1) gets its share", () => {
  const draw = random("uniform");
  const draws = Array.from({ length: 100_000 }, () => Math.floor(draw.next() * 10));
  const counts = Array.from({ length: 10 }, (_, tenth) => draws.filter((drawn) => drawn === tenth).length);
  // Chi-squared with 9 degrees of freedom: 27.9 is exceeded once in a thousand keys.
  const chiSquared = sumOf(counts, (count) => (count - 10_000) ** 2 / 10_000);
  expect(chiSquared).toBeLessThan(27.9);
});

test("an integer lies within its ends and reaches both", () => {
  const draw = random("ends");
  const seen = new Set(Array.from({ length: 200 }, () => draw.integer(-1, 2)));
  expect([...seen].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
});

test("a shuffle keeps every member, a sample repeats none", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer(), fc.nat(20), (values, seed, count) => {
      expect(random(seed).shuffle(values).sort()).toEqual([...values].sort());
      const sample = random(seed).sample(values, count);
      expect(new Set(sample).size).toBe(Math.min(count, values.length));
    }),
  );
});
