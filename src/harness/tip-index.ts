/**
 * Finds the tips for an item's prompt: the most similar ones by a retrieval method, weighed by kind, type and track record.
 *
 * One tip of each family at most: items of a family share their rare words (a domain's names), which would else fill
 * every prompt with the own family and leave no place for a task of the same kind in another one.
 * Knows nothing of runs, splits or prompts; equal scores go to the older tip.
 */
import type { Item } from "../records/item.ts";
import type { Tip } from "../records/tip.ts";
import type { Similarity } from "./retrieval-method.ts";
import bm25 from "./retrieval-methods/bm25.ts";
import { weightOf } from "./tip-weight.ts";
import { wordsOf } from "./words.ts";

/** Share of common words from which on two worked examples count as one. */
const SAME_TEXT_FRACTION = 0.9;
/** Most candidates looked at for one prompt, so that a thousand copies of one solution cannot slow it down. */
const MOST_LOOKS = 32;

export interface RankedTip {
  tip: Tip;
  /** What it was ranked by: similarity times weight. */
  score: number;
}

export interface TipIndex {
  /** Live tips. */
  readonly size: number;
  has(tip: Tip["tip"]): boolean;
  /** Adds a tip that was learnt on an item of this kind; one that is already there is left as it is. */
  add(tip: Tip, kind?: string | null): void;
  /** Leaves a tip out from now on. */
  retire(tip: Tip["tip"]): void;
  /** The live tips in the order in which they were added. */
  all(): Tip[];
  /** Returns up to `count` tips, best first: none of the item itself, one of each family, none that repeats another. */
  similar(item: Item, count: number): RankedTip[];
}

interface Entry {
  tip: Tip;
  kind: string | null;
  textWords: ReadonlySet<string>;
}

/** Shapes: `effects` are shrunken effects of tips that have a track record, as fractions. */
export function tipIndex(
  similarity: Similarity = bm25.open(),
  effects: ReadonlyMap<string, number> = new Map(),
): TipIndex {
  const entries: Entry[] = [];
  const ids = new Set<string>();
  const retired = new Set<string>();
  const families = new Map<string, number[]>();

  function add(tip: Tip, kind: string | null = null): void {
    if (ids.has(tip.tip)) return;
    ids.add(tip.tip);
    similarity.add(tip.about);
    const kin = families.get(tip.family) ?? [];
    families.set(tip.family, kin);
    kin.push(entries.length);
    entries.push({ tip, kind, textWords: new Set(wordsOf(tip.text)) });
  }

  function scoresFor(item: Item): Float64Array {
    return similarity.scores(item.task).map((score, i) => {
      const { tip, kind } = entries[i] as Entry;
      return score === 0 ? 0 : score * weightOf({ type: tip.type, kind, effect: effects.get(tip.tip) ?? null }, item);
    });
  }

  function similar(item: Item, count: number): RankedTip[] {
    const scores = scoresFor(item);
    const chosen: Entry[] = [];
    const ranked: RankedTip[] = [];
    for (let looks = 0; ranked.length < count && looks < MOST_LOOKS; looks++) {
      const best = indexOfGreatest(scores);
      if (best === -1) break;
      const entry = entries[best] as Entry;
      const score = scores[best] as number;
      scores[best] = 0;
      const isOut = retired.has(entry.tip.tip) || entry.tip.source.item === item.item;
      if (isOut || chosen.some((other) => repeats(entry, other))) continue;
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
    retire: (tip) => void (ids.has(tip) && retired.add(tip)),
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

function repeats(one: Entry, other: Entry): boolean {
  const common = [...one.textWords].filter((word) => other.textWords.has(word)).length;
  const all = one.textWords.size + other.textWords.size - common;
  return all === 0 || common / all >= SAME_TEXT_FRACTION;
}
