import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shingler } from "../../../src/curate/near/shingles.ts";
import { signer } from "../../../src/curate/near/signature.ts";
import { random } from "../../../src/foundation/random.ts";
import { meanOf } from "../../../src/foundation/sums.ts";
import { plantedTexts, shingleSet } from "./planted-texts.ts";

const PLACES = 128;

function signatureOf(hashes: readonly number[], { places = PLACES, seed = 0 } = {}): Uint32Array {
  const signature = new Uint32Array(places);
  signer(places, seed)({ hashes: Int32Array.from(hashes), count: hashes.length }, signature);
  return signature;
}

function agreement(x: Uint32Array, y: Uint32Array): number {
  return x.filter((value, place) => value === y[place]).length / x.length;
}

const hashes = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 });

describe("a signature", () => {
  it("does not depend on the order of shingles or on repeats", () => {
    fc.assert(
      fc.property(hashes, fc.integer(), (all, seed) => {
        const otherwise = random(seed, "order").shuffle([...all, ...all.slice(0, 20)]);
        expect(signatureOf(otherwise)).toEqual(signatureOf(all));
      }),
    );
  });

  it("of two sets' union is at each place that of one of the two", () => {
    fc.assert(
      fc.property(hashes, hashes, (x, y) => {
        const [signatureX, signatureY] = [signatureOf(x), signatureOf(y)];
        expect(
          signatureOf([...x, ...y]).every((value, place) => [signatureX[place], signatureY[place]].includes(value)),
        ).toBe(true);
      }),
    );
  });

  it("differs between seeds, and is the same on every machine", () => {
    expect(agreement(signatureOf([1, 2, 3]), signatureOf([1, 2, 3], { seed: 1 }))).toBe(0);
    expect([...signatureOf([1, 2, 3], { places: 4 })]).toEqual([2843476247, 1088142150, 2119512941, 966643050]);
  });

  // The error of the mean of 300 pairs is a 17th of that of one; 4 of them, and a tenth more in the spread, leave room for chance.
  it.each([
    { size: 3, shared: 1 },
    { size: 12, shared: 9 },
    { size: 60, shared: 55 },
    { size: 200, shared: 100 },
    { size: 3000, shared: 2700 },
  ])("estimates the similarity of sets of $size that share $shared within its standard error", ({ size, shared }) => {
    const similarity = shared / (2 * size - shared);
    const draws = random(1, "sets", size);
    const errors = Array.from({ length: 300 }, (_, seed) => {
      const all = Array.from({ length: 2 * size - shared }, () => draws.integer(0, 2 ** 32 - 1) | 0);
      const [x, y] = [all.slice(0, size), all.slice(-size)];
      return agreement(signatureOf(x, { seed }), signatureOf(y, { seed })) - similarity;
    });
    const standardError = Math.sqrt((similarity * (1 - similarity)) / PLACES);
    const mean = meanOf(errors);
    const spread = Math.sqrt(meanOf(errors, (error) => error ** 2));
    expect(Math.abs(mean)).toBeLessThan((4 * standardError) / Math.sqrt(errors.length));
    expect(spread).toBeLessThan(1.1 * standardError);
  });

  it("estimates the similarity of texts within its standard error", () => {
    const texts = [...plantedTexts({ seed: 2, count: 250, words: [20, 200], copiedFraction: 0.9 })];
    const shinglesOf = shingler(5);
    const sign = signer(PLACES, 0);
    const signatures = texts.map((text) => {
      const signature = new Uint32Array(PLACES);
      sign(shinglesOf(text), signature);
      return signature;
    });
    const sets = texts.map((text) => shingleSet(text));
    const scores: number[] = [];
    for (let x = 0; x < texts.length; x++) {
      for (let y = 0; y < x; y++) {
        const [setX, setY] = [sets[x] as Set<string>, sets[y] as Set<string>];
        const shared = [...setX].filter((shingle) => setY.has(shingle)).length;
        const similarity = shared / (setX.size + setY.size - shared);
        const estimate = agreement(signatures[x] as Uint32Array, signatures[y] as Uint32Array);
        const standardError = Math.sqrt((similarity * (1 - similarity)) / PLACES);
        if (standardError === 0) expect(estimate).toBe(similarity);
        else scores.push((estimate - similarity) / standardError);
      }
    }
    expect(scores.length).toBeGreaterThan(500);
    expect(Math.sqrt(meanOf(scores, (score) => score ** 2))).toBeLessThan(1.1);
  });

  it("takes a huge text of one word, or of random words", () => {
    const shinglesOf = shingler(5);
    const signature = new Uint32Array(PLACES);
    const same = shinglesOf("again ".repeat(1_000_000));
    expect(same.count).toBe(999_996);
    signer(PLACES, 0)(same, signature);
    expect(signature).toEqual(signatureOf([same.hashes[0] as number]));
    const noWhiteSpace = shinglesOf("x".repeat(10_000_000));
    expect(noWhiteSpace.count).toBe(1);
  });

  it("of no places is a bug", () => {
    expect(() => signer(0, 0)).toThrow("Bug: a signature of 0 places");
  });
});
