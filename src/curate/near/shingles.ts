/**
 * The word shingles of a text (every run of n words) as 32-bit hashes, made in one pass over its UTF-16 code units without
 * making a string. Case and the kind and length of white space do not count; punctuation belongs to its word. A shingle
 * comes as often as the text has it. Does not know what the shingles are compared for.
 *
 * Source: Broder, "On the resemblance and containment of documents", 1997; rolling hash: Karp and Rabin, 1987.
 */
import { assert } from "../../foundation/errors.ts";
import { mixed } from "./mixed.ts";

/** Valid until the next text is read: the array is used again, and may be longer than what it holds. */
export interface Shingles {
  hashes: Int32Array;
  count: number;
}

/** Words of a shingle where nothing else is asked for. */
export const SHINGLE_WORDS = 5;

const WHITE = -1;
const CODE_UNITS = 0x1_0000;
/** Not 0, or a word of NULs would be one of any length. */
const WORD_START = 0x811c9dc5 | 0;
const UNIT_FACTOR = 0x9e3779b1;
const WORD_FACTOR = 0x2c1b3c6d;
const FIRST_LENGTH = 4096;

/** Made when it is first needed, as most commands never do. */
let foldedOnce: Int32Array | null = null;

/**
 * Makes a reader of texts: a text of fewer than `words` words has one shingle, of all its words, and so has an empty one.
 * Shapes: `words` is a whole number of at least 1.
 */
export function shingler(words: number): (text: string) => Shingles {
  assert(Number.isInteger(words) && words >= 1, `shingles of ${words} words`);
  foldedOnce ??= foldedUnits();
  const folded = foldedOnce;
  const lastWords = new Int32Array(words);
  let outgoing = 1;
  for (let i = 0; i < words; i++) outgoing = Math.imul(outgoing, WORD_FACTOR);
  let hashes = new Int32Array(FIRST_LENGTH);

  return (text) => {
    lastWords.fill(0);
    let [count, wordCount, oldest, rolling] = [0, 0, 0, 0];
    for (let i = 0; i < text.length; ) {
      let unit = folded[text.charCodeAt(i++)] as number;
      if (unit === WHITE) continue;
      let word = WORD_START;
      for (; unit !== WHITE; unit = i < text.length ? (folded[text.charCodeAt(i++)] as number) : WHITE)
        word = Math.imul(word ^ unit, UNIT_FACTOR);
      const wordHash = mixed(word);
      rolling = (Math.imul(rolling, WORD_FACTOR) + wordHash - Math.imul(lastWords[oldest] as number, outgoing)) | 0;
      lastWords[oldest] = wordHash;
      oldest = oldest + 1 === words ? 0 : oldest + 1;
      wordCount += 1;
      if (wordCount < words) continue;
      if (count === hashes.length) hashes = longer(hashes);
      hashes[count++] = rolling;
    }
    if (wordCount < words) hashes[count++] = rolling;
    return { hashes, count };
  };
}

/** Returns each shingle once, in ascending order. Contract: the array of those that were given is used for it. */
export function distinctShingles({ hashes, count }: Shingles): Shingles {
  hashes.subarray(0, count).sort();
  let kept = Math.min(1, count);
  for (let i = 1; i < count; i++) if (hashes[i] !== hashes[i - 1]) hashes[kept++] = hashes[i] as number;
  return { hashes, count: kept };
}

function longer(hashes: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(2 * hashes.length);
  copy.set(hashes);
  return copy;
}

/** For every code unit its lower case, or `WHITE`. A letter outside of the BMP keeps its case: it is two units. */
function foldedUnits(): Int32Array {
  return Int32Array.from({ length: CODE_UNITS }, (_, unit) => {
    const letter = String.fromCharCode(unit);
    return /\s/.test(letter) ? WHITE : letter.toLowerCase().charCodeAt(0);
  });
}
