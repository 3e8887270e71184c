import { describe, expect, it } from "vitest";
import { nearIndex } from "../../../src/curate/near/near-index.ts";
import { random } from "../../../src/foundation/random.ts";
import { plantedTexts, randomWords } from "./planted-texts.ts";

describe("an index of held-out texts", () => {
  it("finds the one most like a text, of equal ones the first", () => {
    const draws = random(1, "held out");
    const words = randomWords(draws, 200).split(" ");
    const [near, nearer, asked] = [words.with(20, "x").with(70, "x"), words.with(20, "x"), words];
    const index = nearIndex([
      { key: "another", text: randomWords(draws, 200) },
      { key: "near", text: near.join(" ") },
      { key: "nearer", text: nearer.join(" ") },
      { key: "again", text: nearer.join("\n") },
    ]);
    expect(index.find(asked.join(" "))).toBe("nearer");
    expect(index.find(asked.slice(0, 100).join(" "))).toBe(null);
    expect(index.find(near.join(" ").toUpperCase())).toBe("near");
  });

  it("finds every held-out text itself, and does not learn from what it is asked", () => {
    const texts = [...plantedTexts({ seed: 1, count: 1500, words: [1, 60], copiedFraction: 0 })];
    const index = nearIndex(texts.map((text) => ({ key: text, text })));
    expect(texts.filter((text) => index.find(text) !== text)).toEqual([]);
    expect(index.find("never seen before")).toBe(null);
    expect(index.find("never seen before")).toBe(null);
  });

  it("finds nothing where nothing is held out", () => {
    expect(nearIndex([]).find("")).toBe(null);
    expect(nearIndex([{ key: "k", text: "one two" }], { threshold: 0.5 }).find("one")).toBe(null);
    expect(nearIndex([{ key: "k", text: "\ud800 \0" }]).find("\ud800  \0")).toBe("k");
  });
});
