/** Texts of random words, many of them copies of an earlier one with some words changed, and their exact similarities. */
import { type Random, random } from "../../../src/foundation/random.ts";

export interface PlantedSettings {
  seed: number;
  count: number;
  /** The least and the most words of a text. */
  words: [number, number];
  /** How often a text is a changed copy of an earlier one. */
  copiedFraction: number;
}

const VOCABULARY = 5000;

/** Yields the texts; a copy has up to 5 % of its words changed, so that the similarities lie on both sides of 0.85. */
export function* plantedTexts({ seed, count, words, copiedFraction }: PlantedSettings): Generator<string> {
  const draws = random(seed, "planted texts");
  const recent: string[] = [];
  for (let number = 0; number < count; number++) {
    const isCopy = recent.length > 0 && draws.next() < copiedFraction;
    const text = isCopy ? changedWords(draws.pick(recent), draws) : randomWords(draws, draws.integer(...words));
    if (recent.length < 1000) recent.push(text);
    else recent[draws.integer(0, 999)] = text;
    yield text;
  }
}

export function randomWords(draws: Random, count: number): string {
  return Array.from({ length: count }, () => word(draws)).join(" ");
}

function changedWords(text: string, draws: Random): string {
  const words = text.split(" ");
  const changes = draws.integer(0, Math.ceil(words.length / 20));
  for (let change = 0; change < changes; change++) words[draws.integer(0, words.length - 1)] = word(draws);
  return words.join(" ");
}

function word(draws: Random): string {
  return `w${draws.integer(0, VOCABULARY - 1).toString(36)}`;
}

/** The word shingles of a text as strings, made without what is tested. */
export function shingleSet(text: string, words = 5): Set<string> {
  const all = text.toLowerCase().split(/\s+/).filter(Boolean);
  const count = Math.max(1, all.length - words + 1);
  return new Set(Array.from({ length: count }, (_, start) => all.slice(start, start + words).join(" ")));
}

/** Returns the exact Jaccard similarity of every pair that shares a shingle, by `lower,higher` number. */
export function exactSimilarities(texts: readonly string[]): Map<string, number> {
  const sets = texts.map((text) => shingleSet(text));
  const owners = new Map<string, number[]>();
  const similarities = new Map<string, number>();
  for (const [number, set] of sets.entries()) {
    const shared = new Map<number, number>();
    for (const shingle of set) {
      const others = owners.get(shingle) ?? [];
      for (const other of others) shared.set(other, (shared.get(other) ?? 0) + 1);
      others.push(number);
      owners.set(shingle, others);
    }
    for (const [other, both] of shared) {
      const either = set.size + (sets[other]?.size ?? 0) - both;
      similarities.set(`${other},${number}`, both / either);
    }
  }
  return similarities;
}
