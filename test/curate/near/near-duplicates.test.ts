import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearDuplicates } from "../../../src/curate/near/near-duplicates.ts";
import type { NearOptions } from "../../../src/curate/near/near-options.ts";
import { random } from "../../../src/foundation/random.ts";
import { exactSimilarities, plantedTexts, randomWords } from "./planted-texts.ts";

function collected(texts: Iterable<string>, options: NearOptions = {}) {
  const collection = nearDuplicates(options);
  for (const text of texts) collection.add(text);
  return collection;
}

const resolved = (texts: readonly string[], worth?: (number: number) => number) => [
  ...collected(texts).resolve(worth === undefined ? {} : { worth }),
];

/** A text of 200 words, and those that come of it when words 20, 70, 120 and 170 are changed one after another. */
function chainOfTexts(): string[] {
  const words = randomWords(random(1, "chain"), 200).split(" ");
  const texts = [words.join(" ")];
  for (const place of [20, 70, 120, 170]) {
    words[place] = "changed";
    texts.push(words.join(" "));
  }
  return texts;
}

describe("pairs", () => {
  it("are those of an exact comparison of all texts, but for what lies close to the threshold", () => {
    const texts = [...plantedTexts({ seed: 1, count: 2000, words: [20, 250], copiedFraction: 0.8 })];
    const exact = exactSimilarities(texts);
    const found = new Set([...collected(texts).pairs()].map(String));
    const foundFraction = (from: number, to: number) => {
      const all = [...exact].filter(([, similarity]) => similarity >= from && similarity < to);
      expect(all.length).toBeGreaterThan(50);
      return all.filter(([pair]) => found.has(pair)).length / all.length;
    };
    expect(foundFraction(0.95, 1.01)).toBeGreaterThan(0.99);
    expect(foundFraction(0.9, 0.95)).toBeGreaterThan(0.93);
    expect(foundFraction(0.8, 0.82)).toBeLessThan(0.15);
    expect(foundFraction(0.5, 0.75)).toBe(0);
    const isAlike = (pair: string, from: number) => (exact.get(pair) ?? 0) >= from;
    const all = [...exact.keys()].filter((pair) => isAlike(pair, 0.85));
    expect(all.filter((pair) => found.has(pair)).length / all.length).toBeGreaterThan(0.9);
    expect([...found].filter((pair) => isAlike(pair, 0.85)).length / found.size).toBeGreaterThan(0.9);
    expect([...found].filter((pair) => isAlike(pair, 0.78)).length / found.size).toBeGreaterThan(0.99);
  });

  it("of short texts are exact: none lies below the threshold", () => {
    const texts = [...plantedTexts({ seed: 4, count: 1500, words: [5, 60], copiedFraction: 0.8 })];
    const exact = exactSimilarities(texts);
    const found = new Set([...collected(texts).pairs()].map(String));
    expect(found.size).toBeGreaterThan(500);
    expect([...found].filter((pair) => (exact.get(pair) ?? 0) < 0.85)).toEqual([]);
    const alike = [...exact].filter(([, similarity]) => similarity >= 0.85).map(([pair]) => pair);
    expect(alike.filter((pair) => found.has(pair)).length / alike.length).toBeGreaterThan(0.97);
  });

  it("of a short and a longer text are estimated", () => {
    const words = randomWords(random(1, "boundary"), 72).split(" ");
    const texts = [words.slice(0, 68).join(" "), words.join(" "), words.slice(0, 50).join(" ")];
    expect([...collected(texts).pairs()]).toEqual([[0, 1]]);
    expect([...collected(texts.toReversed()).pairs()]).toEqual([[1, 2]]);
  });

  it("come once each, with the lower number first", () => {
    expect([...collected(["a b", "c d", "A  b", "a b"]).pairs()]).toEqual([
      [0, 2],
      [0, 3],
      [2, 3],
    ]);
  });

  it("can be asked for between additions", () => {
    const collection = collected(["a b"]);
    expect([...collection.pairs()]).toEqual([]);
    expect(collection.add("a b")).toBe(1);
    expect([...collection.pairs()]).toEqual([[0, 1]]);
    expect([...collection.resolve()]).toEqual([-1, 0]);
  });
});

describe("near-duplicates", () => {
  it("of a dropped text are kept: there are no chains", () => {
    const [a = "", , b = "", , c = ""] = chainOfTexts();
    expect([...collected([a, b, c]).pairs()]).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(resolved([a, b, c])).toEqual([-1, 0, -1]);
  });

  it("give way to the text of the least worth number, then to the one added first", () => {
    const [a = "", , b = "", , c = ""] = chainOfTexts();
    expect(resolved([a, b, c], (number) => [2, 1, 3][number] as number)).toEqual([1, -1, 1]);
    expect(resolved([a, b, c], (number) => -number)).toEqual([-1, 2, -1]);
    expect(resolved(["x", "x"], () => Number.POSITIVE_INFINITY)).toEqual([-1, 0]);
  });

  it("name the kept text most like them", () => {
    const [a = "", , b = "", nearC = "", c = ""] = chainOfTexts();
    expect(resolved([a, c, b, nearC])[3]).toBe(1);
  });

  it("refuse a worth that is not a number", () => {
    expect(() => resolved(["x"], () => Number.NaN)).toThrow("Bug: a text whose worth is not a number");
  });

  it("are the same again, whatever the order of adding, where worth is total", () => {
    const texts = [...plantedTexts({ seed: 3, count: 300, words: [5, 80], copiedFraction: 0.7 })];
    const first = resolved(texts, (number) => number);
    expect(first.filter((kept) => kept !== -1).length).toBeGreaterThan(50);
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const order = random(seed, "order").shuffle([...texts.keys()]);
        const shuffled = resolved(
          order.map((number) => texts[number] as string),
          (place) => order[place] as number,
        );
        const back = order.map((number, place) => [number, shuffled[place] === -1 ? -1 : order[shuffled[place] ?? 0]]);
        expect(Object.fromEntries(back)).toEqual({ ...first });
      }),
      { numRuns: 10 },
    );
  });

  it("leave every kept text unlike every other, and every dropped one like its own", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "b", " ", "\0", "\ud800"), maxLength: 12 }), { maxLength: 40 }),
        (texts) => {
          const collection = collected(texts);
          const kept = collection.resolve();
          const pairs = new Set([...collection.pairs()].map(String));
          for (const [number, like] of kept.entries()) {
            if (like !== -1) expect(kept[like]).toBe(-1);
            if (like !== -1) expect(pairs.has(String([Math.min(number, like), Math.max(number, like)]))).toBe(true);
          }
          for (const pair of collection.pairs()) expect(pair.every((number) => kept[number] === -1)).toBe(false);
        },
      ),
    );
  });

  it("are not made of ten thousand equal texts' pairs", () => {
    const kept = resolved(Array.from({ length: 10_000 }, () => "the same answer to every question"));
    expect(kept.filter((number) => number === 0)).toHaveLength(9999);
  });
});

describe("short answers", () => {
  const query = "SELECT total FROM orders JOIN customers USING (id) WHERE total > 9 AND year = 24;";

  it("that differ in one of few words are no near-duplicates", () => {
    const words = query.split(" ");
    expect(words).toHaveLength(16);
    for (let length = 1; length <= words.length; length++) {
      const answer = words.slice(0, length);
      const others = answer.map((word, place) => answer.with(place, `${word}7`).join(" "));
      expect(resolved([answer.join(" "), ...others])).toEqual(Array(length + 1).fill(-1));
    }
  });

  it("of fewer than 60 words are none where a literal in the middle differs", () => {
    const draws = random(1, "answers");
    const answers = Array.from({ length: 300 }, () => randomWords(draws, draws.integer(12, 59)).split(" "));
    const others = answers.map((words) => words.with(Math.floor(words.length / 2), "'other'"));
    const merged = resolved([...answers, ...others].map((words) => words.join(" ")));
    expect(merged.filter((kept) => kept !== -1)).toEqual([]);
  });

  it("that are equal but for case and white space are", () => {
    expect(resolved([query, ` ${query.toLowerCase().replaceAll(" ", "\n\t")}`])).toEqual([-1, 0]);
  });

  it("that are empty are each other's near-duplicates, and no other's", () => {
    expect(resolved(["", "a", " ", "b", "\0", "\ud800", "\udc00"])).toEqual([-1, -1, 0, -1, -1, -1, -1]);
    expect(resolved([])).toEqual([]);
  });
});

describe("options", () => {
  it("set the similarity", () => {
    const texts = ["a b c d e f g h i j", "a b c d e f g h i z"];
    const pairCount = (options: NearOptions) => [...collected(texts, options).pairs()].length;
    expect(pairCount({})).toBe(0);
    expect(pairCount({ threshold: 0.5 })).toBe(1);
    expect(pairCount({ threshold: 1 })).toBe(0);
  });

  it("outside of their range are a bug", () => {
    expect(() => nearDuplicates({ threshold: 0 })).toThrow("Bug: near-duplicates from a similarity of 0 on");
    expect(() => nearDuplicates({ threshold: 1.1 })).toThrow("Bug: ");
  });
});
