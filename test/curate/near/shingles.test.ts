import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shingler } from "../../../src/curate/near/shingles.ts";
import { random } from "../../../src/foundation/random.ts";
import { randomWords, shingleSet } from "./planted-texts.ts";

function hashesOf(text: string, words = 5): number[] {
  const { hashes, count } = shingler(words)(text);
  return [...hashes.subarray(0, count)];
}

const anyText = fc.string({ unit: "binary", maxLength: 60 });

describe("shingles", () => {
  it("are one for each run of five words, and one of all words where there are fewer", () => {
    expect(hashesOf("a b c d e f g")).toHaveLength(3);
    expect(hashesOf("a b c d e")).toHaveLength(1);
    expect(hashesOf("a b")).toHaveLength(1);
    expect(hashesOf("")).toHaveLength(1);
    expect(hashesOf(" \n")).toEqual(hashesOf(""));
  });

  it("depend on the order of words", () => {
    expect(hashesOf("a b c d e")).not.toEqual(hashesOf("b a c d e"));
    expect(hashesOf("ab c d e f")).not.toEqual(hashesOf("a bc d e f"));
  });

  it("are the same wherever in a text they stand", () => {
    expect(hashesOf("x y z a b c d e").at(-1)).toBe(hashesOf("a b c d e")[0]);
  });

  it("do not depend on case or white space", () => {
    expect(hashesOf(" The\tCAF\u00c9  is\r\n open\u00a0today ")).toEqual(hashesOf("the caf\u00e9 is open today"));
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "B", "\u00c9", "1;", "\u0416"), { maxLength: 12 }), (words) => {
        expect(hashesOf(words.join("\n  "))).toEqual(hashesOf(words.join(" ").toLowerCase()));
      }),
    );
  });

  it("tell NULs and lone surrogates apart", () => {
    const odd = ["\0", "\0\0", "\ud800", "\udc00", "\ud800\ud800", "\ud83d\ude00"];
    expect(new Set(odd.flatMap((text) => hashesOf(text))).size).toBe(odd.length);
  });

  it("are as many different ones as the strings that they stand for", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 6 }), (text, words) => {
        // Letters outside of the BMP keep their case here, and some others become two.
        fc.pre(text.toLowerCase().length === text.length && !/[\ud800-\udfff]/.test(text));
        expect(new Set(hashesOf(text, words)).size).toBe(shingleSet(text, words).size);
      }),
    );
    const long = randomWords(random(1, "shingles"), 50_000);
    // By chance one pair of 50,000 numbers of 32 bits is equal now and then.
    expect(shingleSet(long).size - new Set(hashesOf(long)).size).toBeLessThanOrEqual(2);
  });

  it("of no whole number of words are a bug", () => {
    for (const words of [0, 1.5]) expect(() => shingler(words)).toThrow(`Bug: shingles of ${words} words`);
  });
});
