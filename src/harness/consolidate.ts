/**
 * What a memory says twice, and what it may say in two opposite ways. Two tips count as one where they are of the same
 * type and say nearly the same in words, or show the same answer to nearly the same task; the better one stays, the other
 * is merged into it. Contradictions are only reported: they are found by words alone, not by what is meant.
 */
import type { TipId } from "../records/ids.ts";
import type { Message } from "../records/message.ts";

/** Share of common words from which on two texts of one type say the same. */
export const ALIKE_FRACTION = 0.8;
/** Share of the shorter tip's content words that the other one has, and least number of them, for a contradiction. */
export const ABOUT_THE_SAME_FRACTION = 0.7;
const FEWEST_COMMON = 3;

export interface ComparedTip {
  tip: TipId;
  type: string;
  text: string;
  example: readonly Message[] | null;
}

export interface Merge {
  tip: TipId;
  into: TipId;
}

export interface Contradiction {
  /** What is advised against. */
  against: TipId;
  /** What is advised. */
  advised: TipId;
  common: string[];
}

export interface Consolidation {
  merges: Merge[];
  contradictions: Contradiction[];
}

/**
 * Compares live tips with each other.
 * Shapes: `tips` come best first (the older one, where nothing is known); a tip is only merged into one before it, and
 * never into one that is itself merged.
 */
export function consolidate(tips: readonly ComparedTip[]): Consolidation {
  const merges = [...mergedExamples(tips), ...mergedTexts(tips)];
  const gone = new Set(merges.map(({ tip }) => tip));
  return { merges, contradictions: contradictionsAmong(tips.filter(({ tip }) => !gone.has(tip))) };
}

/**
 * A worked example is code as well as words, where one sign may matter: answers have to be the same but for space, and
 * only the tasks before them may differ in words.
 */
function mergedExamples(tips: readonly ComparedTip[]): Merge[] {
  const kept = new Map<string, { tip: TipId; tasks: Set<string>[] }[]>();
  return tips.flatMap(({ tip, type, example }): Merge[] => {
    if (example === null) return [];
    const answers = example
      .filter(({ role }) => role === "assistant")
      .map(({ content }) => withoutSpace(content ?? ""));
    const tasks = example.filter(({ role }) => role !== "assistant").map(({ content }) => wordSet(content ?? ""));
    const key = JSON.stringify([type, example.map(({ role }) => role), answers]);
    const group = kept.get(key) ?? [];
    kept.set(key, group);
    const same = group.find((other) =>
      tasks.every((task, i) => alike(task, other.tasks[i] ?? new Set()) >= ALIKE_FRACTION),
    );
    if (same !== undefined) return [{ tip, into: same.tip }];
    group.push({ tip, tasks });
    return [];
  });
}

function mergedTexts(tips: readonly ComparedTip[]): Merge[] {
  const kept = wordIndex();
  return tips.flatMap(({ tip, type, text, example }): Merge[] => {
    if (example !== null) return [];
    const words = wordSet(text);
    const [best] = kept
      .sharing(type, words, Math.ceil(ALIKE_FRACTION * words.size))
      .map((other) => ({ ...other, alike: other.common / (words.size + other.words.size - other.common) }))
      .filter((other) => other.alike >= ALIKE_FRACTION && isNegated(words) === isNegated(other.words))
      .sort((x, y) => y.alike - x.alike);
    if (best !== undefined) return [{ tip, into: best.tip }];
    kept.add(type, tip, words);
    return [];
  });
}

const NEGATIONS = new Set([
  "not",
  "never",
  "avoid",
  "no",
  "without",
  "stop",
  "cannot",
  "dont",
  "don",
  "doesn",
  "shouldn",
  "mustn",
]);
const ADVICE = new Set(["do", "always", "use", "must", "prefer", "should", "ensure", "make"]);
const FILLERS = new Set(
  (
    "a an the and or of in on at to for from by with as is are be it its this that these those you your when where if " +
    "then than so can will would may t s"
  ).split(" "),
);

function isNegated(words: ReadonlySet<string>): boolean {
  return [...words].some((word) => NEGATIONS.has(word));
}

/** Advice where nothing is negated: by a word of advice, or by being of a type that advises. */
function isAdvice({ type }: ComparedTip, words: ReadonlySet<string>): boolean {
  return !isNegated(words) && (type !== "warning" || [...words].some((word) => ADVICE.has(word)));
}

function contradictionsAmong(tips: readonly ComparedTip[]): Contradiction[] {
  const told = tips.filter(({ example }) => example === null);
  const advised = wordIndex();
  for (const tip of told) if (isAdvice(tip, wordSet(tip.text))) advised.add("", tip.tip, contentOf(tip.text));
  return told.flatMap((tip) => {
    if (!isNegated(wordSet(tip.text))) return [];
    const words = contentOf(tip.text);
    return advised.sharing("", words, FEWEST_COMMON).flatMap((other): Contradiction[] => {
      if (other.common / Math.min(words.size, other.words.size) < ABOUT_THE_SAME_FRACTION) return [];
      const common = [...words].filter((word) => other.words.has(word)).sort();
      return [{ against: tip.tip, advised: other.tip, common }];
    });
  });
}

function contentOf(text: string): Set<string> {
  const words = [...wordSet(text)];
  return new Set(words.filter((word) => !NEGATIONS.has(word) && !ADVICE.has(word) && !FILLERS.has(word)));
}

interface IndexedTip {
  tip: TipId;
  words: ReadonlySet<string>;
}

/** Counts, tip by tip, the words that a text has in common with those of a group: the cost is that of its words' postings. */
function wordIndex() {
  const entries: IndexedTip[] = [];
  const postings = new Map<string, number[]>();
  return {
    add(group: string, tip: TipId, words: ReadonlySet<string>): void {
      for (const word of words) {
        const list = postings.get(`${group} ${word}`) ?? [];
        postings.set(`${group} ${word}`, list);
        list.push(entries.length);
      }
      entries.push({ tip, words });
    },
    /** The tips that share at least `fewest` words, in the order in which they were added. */
    sharing(group: string, words: ReadonlySet<string>, fewest: number): (IndexedTip & { common: number })[] {
      const counts = new Uint16Array(entries.length);
      for (const word of words)
        for (const place of postings.get(`${group} ${word}`) ?? []) counts[place] = (counts[place] ?? 0) + 1;
      const found: (IndexedTip & { common: number })[] = [];
      for (const [place, common] of counts.entries())
        if (common >= fewest) found.push({ ...(entries[place] as IndexedTip), common });
      return found;
    },
  };
}

function alike(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const common = [...one].filter((word) => other.has(word)).length;
  const all = one.size + other.size - common;
  return all === 0 ? 1 : common / all;
}

/** Numbers keep their values here: a tip that says 5 does not say what one says that says 6. */
function wordSet(text: string): Set<string> {
  return new Set(
    text
      .toLowerCase()
      .replaceAll(/['\u2019]/g, "")
      .match(/\p{L}+|\p{N}+/gu) ?? [],
  );
}

function withoutSpace(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
