/**
 * How like each other two texts are, exactly: for texts few or short enough that all their shingles can be held.
 */
import { distinctShingles, SHINGLE_WORDS, shingler } from "./shingles.ts";

let reader: ReturnType<typeof shingler> | undefined;

/** The different shingles of a text, ascending. */
export function shingleSet(text: string): Int32Array {
  reader ??= shingler(SHINGLE_WORDS);
  const { hashes, count } = distinctShingles(reader(text));
  return hashes.slice(0, count);
}

/**
 * Share of the shingles of either text that both have.
 * Shapes: both are ascending and without repeats, and not empty.
 * Source: Broder, "On the resemblance and containment of documents", 1997.
 */
export function jaccard(x: Int32Array, y: Int32Array): number {
  let [both, i, j] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const [fromX, fromY] = [x[i] as number, y[j] as number];
    if (fromX === fromY) both += 1;
    if (fromX <= fromY) i += 1;
    if (fromY <= fromX) j += 1;
  }
  return both / (x.length + y.length - both);
}
