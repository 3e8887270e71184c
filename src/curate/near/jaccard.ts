/**
 * How like each other two texts are, exactly: for the few texts of one item, which can all be held at once.
 */
import { shingler } from "./shingles.ts";

const SHINGLE_WORDS = 5;
const read = shingler(SHINGLE_WORDS);

/** The different shingles of a text, sorted. */
export function shingleSet(text: string): Int32Array {
  const { hashes, count } = read(text);
  const sorted = hashes.slice(0, count).sort();
  return sorted.filter((hash, i) => i === 0 || hash !== sorted[i - 1]);
}

/**
 * Share of the shingles of either text that both have.
 * Source: Broder, "On the resemblance and containment of documents", 1997.
 */
export function jaccard(x: Int32Array, y: Int32Array): number {
  let both = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const difference = (x[i] as number) - (y[j] as number);
    if (difference === 0) both += 1;
    if (difference <= 0) i += 1;
    if (difference >= 0) j += 1;
  }
  return both / (x.length + y.length - both);
}
