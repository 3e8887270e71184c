/**
 * BM25 over the words of texts, on an inverted index: a look costs the postings of the task's words and not a walk over
 * all texts.
 * Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
 */
import type { RetrievalMethod, Similarity } from "../retrieval-method.ts";
import { wordsOf } from "../words.ts";

const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;

function open(): Similarity {
  /** Words in each text. */
  const lengths: number[] = [];
  const postings = new Map<string, { text: number; count: number }[]>();
  let totalLength = 0;

  function scores(task: string): Float64Array {
    const found = new Float64Array(lengths.length);
    const meanLength = totalLength / lengths.length;
    for (const word of new Set(wordsOf(task))) {
      const list = postings.get(word) ?? [];
      const rarity = Math.log(1 + (lengths.length - list.length + 0.5) / (list.length + 0.5));
      for (const { text, count } of list) {
        const length = (lengths[text] as number) / meanLength;
        const weight = (count * (SATURATION + 1)) / (count + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length));
        found[text] = (found[text] as number) + rarity * weight;
      }
    }
    return found;
  }

  return {
    add(about) {
      const words = wordsOf(about);
      for (const [word, count] of countsOf(words)) {
        const list = postings.get(word) ?? [];
        postings.set(word, list);
        list.push({ text: lengths.length, count });
      }
      totalLength += words.length;
      lengths.push(words.length);
    },
    scores,
  };
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const method: RetrievalMethod = { summary: "common words, the rarer the more (BM25)", open };

export default method;
