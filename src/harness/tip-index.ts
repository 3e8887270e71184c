/**
 * Finds the tips that are about something similar to an item's task: BM25 over the words of `about`, on an inverted
 * index, so that a look costs the postings of the task's words and not a walk over all texts.
 *
 * One tip of each family at most: items of a family share their rare words (a domain's names), which would else fill
 * every prompt with the own family and leave no place for a task of the same kind in another one.
 * Knows nothing of runs, splits or prompts; equal scores go to the older tip.
 * Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
 */
import type { Item } from "../records/item.ts";
import type { Tip } from "../records/tip.ts";

const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;
/** Share of common words from which on two worked examples count as one. */
const SAME_TEXT_FRACTION = 0.9;
/** Most candidates looked at for one prompt, so that a thousand copies of one solution cannot slow it down. */
const MOST_LOOKS = 32;

export interface RankedTip {
  tip: Tip;
  score: number;
}

export interface TipIndex {
  /** Live tips. */
  readonly size: number;
  has(tip: Tip["tip"]): boolean;
  /** Adds a tip; one that is already there is left as it is. */
  add(tip: Tip): void;
  /** Leaves a tip out from now on. */
  retire(tip: Tip["tip"]): void;
  /** The live tips in the order in which they were added. */
  all(): Tip[];
  /** Returns up to `count` tips, best first: none of the item itself, one of each family, none that repeats another. */
  similar(item: Item, count: number): RankedTip[];
}

interface Entry {
  tip: Tip;
  /** Words in `about`. */
  length: number;
  textWords: ReadonlySet<string>;
}

export function tipIndex(): TipIndex {
  const entries: Entry[] = [];
  const ids = new Set<string>();
  const retired = new Set<string>();
  const postings = new Map<string, { entry: number; count: number }[]>();
  const families = new Map<string, number[]>();
  let totalLength = 0;

  function add(tip: Tip): void {
    if (ids.has(tip.tip)) return;
    ids.add(tip.tip);
    const words = wordsOf(tip.about);
    for (const [word, count] of countsOf(words)) listAt(postings, word).push({ entry: entries.length, count });
    listAt(families, tip.family).push(entries.length);
    totalLength += words.length;
    entries.push({ tip, length: words.length, textWords: new Set(wordsOf(tip.text)) });
  }

  function scoresFor(task: string): Float64Array {
    const scores = new Float64Array(entries.length);
    const meanLength = totalLength / entries.length;
    for (const word of new Set(wordsOf(task))) {
      const list = postings.get(word) ?? [];
      const rarity = Math.log(1 + (entries.length - list.length + 0.5) / (list.length + 0.5));
      for (const { entry, count } of list) {
        const length = (entries[entry] as Entry).length / meanLength;
        const weight = (count * (SATURATION + 1)) / (count + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length));
        scores[entry] = (scores[entry] as number) + rarity * weight;
      }
    }
    return scores;
  }

  function similar(item: Item, count: number): RankedTip[] {
    const scores = scoresFor(item.task);
    const chosen: Entry[] = [];
    const ranked: RankedTip[] = [];
    for (let looks = 0; ranked.length < count && looks < MOST_LOOKS; looks++) {
      const best = indexOfGreatest(scores);
      if (best === -1) break;
      const entry = entries[best] as Entry;
      const score = scores[best] as number;
      scores[best] = 0;
      if (
        retired.has(entry.tip.tip) ||
        entry.tip.source.item === item.item ||
        chosen.some((other) => repeats(entry, other))
      )
        continue;
      chosen.push(entry);
      ranked.push({ tip: entry.tip, score });
      for (const kin of families.get(entry.tip.family) ?? []) scores[kin] = 0;
    }
    return ranked;
  }

  return {
    get size() {
      return entries.length - retired.size;
    },
    has: (tip) => ids.has(tip),
    add,
    retire(tip) {
      if (ids.has(tip)) retired.add(tip);
    },
    all: () => entries.map(({ tip }) => tip).filter(({ tip }) => !retired.has(tip)),
    similar,
  };
}

/** Returns the first index of the greatest score above 0, or -1. */
function indexOfGreatest(scores: Float64Array): number {
  let best = -1;
  let greatest = 0;
  for (let i = 0; i < scores.length; i++) {
    if ((scores[i] as number) > greatest) {
      greatest = scores[i] as number;
      best = i;
    }
  }
  return best;
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function repeats(one: Entry, other: Entry): boolean {
  const common = [...one.textWords].filter((word) => other.textWords.has(word)).length;
  const all = one.textWords.size + other.textWords.size - common;
  return all === 0 || common / all >= SAME_TEXT_FRACTION;
}

/** Splits a text into lower-case words; every number counts as the same word, since its value says little of the kind of task. */
function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? []).map((word) => (/^\p{N}/u.test(word) ? "0" : word));
}
