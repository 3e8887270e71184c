/**
 * Finds texts that say nearly the same, in time that grows with their number, not with its square: MinHash signatures of
 * word shingles, cut into bands; what agrees in a band is verified. Of a text it keeps 300 bytes, not the text.
 * Does not know what the texts are, nor which of two is worth more.
 *
 * Short texts: changing one word in the middle changes five shingles, so that a text of fewer than 66 words is not the
 * near-duplicate of one with another literal there; at its very end it changes one, and 17 words suffice for 0.85.
 */
import { assert } from "../../foundation/errors.ts";
import { type NearOptions, nearParts } from "./near-options.ts";

export interface ResolveRule {
  /** Lower is kept first. */
  worth?: (number: number) => number;
  /** Whether a kept text may stand for another one; by default any may. */
  isComparable?: (number: number, kept: number) => boolean;
}

export interface NearDuplicates {
  /** Adds a text under the next number (0, 1, 2, ...) and returns it. */
  add(text: string): number;
  /**
   * Chooses which texts are kept: in order of `worth` (lower first, then the one added first; by default the order of adding)
   * a text is dropped if it is the near-duplicate of one that was kept.
   * Shapes: for each dropped text the number of the kept one most like it, for each kept text -1.
   */
  resolve(rule?: ResolveRule): Int32Array;
  /** Yields all verified pairs, the lower number first: for n equal texts that is n (n - 1) / 2. */
  pairs(): Iterable<[number, number]>;
}

/**
 * Makes an empty collection. The same texts, options and seed give the same result on every machine.
 * Leave out of the texts what all of them share: a preamble that makes every two of them 0.7 alike makes the time grow with the
 * square of their number.
 */
export function nearDuplicates(options: NearOptions = {}): NearDuplicates {
  const { put, emptyIndex } = nearParts(options);
  let count = 0;

  function resolve({ worth, isComparable = () => true }: ResolveRule = {}): Int32Array {
    const keptLike = new Int32Array(count).fill(-1);
    const index = emptyIndex(count);
    for (const number of orderOf(count, worth)) {
      const kept = index.nearest(number, (other) => isComparable(number, other));
      if (kept === -1) index.keep(number);
      else keptLike[number] = kept;
    }
    return keptLike;
  }

  function* pairs(): Generator<[number, number]> {
    const index = emptyIndex(count);
    for (let number = 0, end = count; number < end; number++) {
      for (const other of index.all(number)) yield [other, number];
      index.keep(number);
    }
  }

  return {
    add(text) {
      put(count, text);
      return count++;
    },
    ...{ resolve, pairs },
  };
}

function orderOf(count: number, worth?: (number: number) => number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, number) => number);
  if (worth === undefined) return numbers;
  const worths = Float64Array.from(numbers, (number) => worth(number));
  assert(!worths.some(Number.isNaN), "a text whose worth is not a number");
  return numbers.sort((x, y) => {
    const [worthX, worthY] = [worths[x] as number, worths[y] as number];
    if (worthX === worthY) return x - y;
    return worthX < worthY ? -1 : 1;
  });
}
