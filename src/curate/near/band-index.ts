/**
 * Finds, among the texts that were kept so far, those like a given one: only texts that agree with it in a whole band are
 * compared. Asking takes as long as those are many: where most texts share most of their words, yet are no near-duplicates of
 * each other, that grows with the number of texts.
 */
import { bandChains } from "./band-chains.ts";
import type { Sketches } from "./sketches.ts";

export interface BandIndex {
  /** Lets the text of this number be found. Contract: each once, with a number below `capacity`. */
  keep(number: number): void;
  /** Returns the kept text most like this one among the comparable, of equally like ones the one kept first; -1 for none. */
  nearest(number: number, isComparable?: (other: number) => boolean): number;
  /** Returns every kept text like this one, in ascending order. */
  all(number: number): number[];
}

export interface BandIndexShape {
  bands: number;
  capacity: number;
  /** Texts of at least this similarity are alike. */
  threshold: number;
}

/** Makes an index of the texts of `sketches` in which none is kept yet. */
export function bandIndex(sketches: Sketches, { bands, capacity, threshold }: BandIndexShape): BandIndex {
  const chains = bandChains({ bands, capacity, bandHash: sketches.bandHash });
  const keptAt = new Uint32Array(capacity);
  let keptCount = 0;

  function keep(number: number): void {
    chains.keep(number);
    keptAt[number] = keptCount++;
  }

  function nearest(number: number, isComparable: (other: number) => boolean = () => true): number {
    let [best, floor] = [-1, threshold];
    for (const other of chains.sharing(number)) {
      if (!isComparable(other)) continue;
      const similarity = sketches.similarity(number, other, floor);
      if (similarity < floor) continue;
      const isFirst = best === -1 || (keptAt[other] as number) < (keptAt[best] as number);
      if (similarity > floor || isFirst) [best, floor] = [other, similarity];
    }
    return best;
  }

  function all(number: number): number[] {
    const alike = [...chains.sharing(number)].filter(
      (other) => sketches.similarity(number, other, threshold) >= threshold,
    );
    return alike.sort((x, y) => x - y);
  }

  return { keep, nearest, all };
}
