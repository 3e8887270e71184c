/**
 * Finds, among the texts that were kept so far, those like a given one: the texts that agree with it in a whole band are
 * compared. Each band has a hash table with open addressing; texts of one hash form a chain.
 * Asking takes as long as the kept texts of the same bands are many: where most texts share most of their words, yet are no
 * near-duplicates of each other, that grows with the number of texts.
 */
import type { Sketches } from "./sketches.ts";

export interface BandIndex {
  /** Lets the text of this number be found. Contract: at most `capacity` texts, each once. */
  keep(number: number): void;
  /** Returns the kept text most like this one, of equally like ones the one kept first; -1 where none is like it. */
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

export function bandIndex(sketches: Sketches, { bands, capacity, threshold }: BandIndexShape): BandIndex {
  const slots = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
  /** The number of the text kept last under a hash, plus one; 0 where a slot is free. */
  const tables = Array.from({ length: bands }, () => new Int32Array(slots));
  /** Of each text in each band: the one kept before it under the same hash, plus one. */
  const before = Array.from({ length: bands }, () => new Int32Array(capacity));
  const keptAt = new Int32Array(capacity);
  /** The last question in which a text was met, so that one that shares several bands is compared once. */
  const metIn = new Int32Array(capacity);
  const met = new Int32Array(capacity);
  let [keptCount, questions] = [0, 0];

  function slotOf(band: number, hash: number): number {
    const table = tables[band] as Int32Array;
    for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const head = table[slot] as number;
      if (head === 0 || sketches.bandHash(head - 1, band) === hash) return slot;
    }
  }

  function keep(number: number): void {
    for (let band = 0; band < bands; band++) {
      const table = tables[band] as Int32Array;
      const slot = slotOf(band, sketches.bandHash(number, band));
      (before[band] as Int32Array)[number] = table[slot] as number;
      table[slot] = number + 1;
    }
    keptAt[number] = keptCount++;
  }

  /** Writes the texts that share a band to `met`, and returns how many they are. */
  function meet(number: number): number {
    let count = 0;
    questions += 1;
    for (let band = 0; band < bands; band++) {
      const chain = before[band] as Int32Array;
      let next = (tables[band] as Int32Array)[slotOf(band, sketches.bandHash(number, band))] as number;
      for (; next !== 0; next = chain[next - 1] as number) {
        if (metIn[next - 1] === questions) continue;
        metIn[next - 1] = questions;
        met[count++] = next - 1;
      }
    }
    return count;
  }

  function nearest(number: number, isComparable: (other: number) => boolean = () => true): number {
    let [best, floor] = [-1, threshold];
    for (let i = 0, count = meet(number); i < count; i++) {
      const other = met[i] as number;
      if (!isComparable(other)) continue;
      const similarity = sketches.similarity(number, other, floor);
      if (similarity < floor) continue;
      const isFirst = best === -1 || (keptAt[other] as number) < (keptAt[best] as number);
      if (similarity > floor || isFirst) [best, floor] = [other, similarity];
    }
    return best;
  }

  function all(number: number): number[] {
    const others = [...met.subarray(0, meet(number))];
    return others.filter((other) => sketches.similarity(number, other, threshold) >= threshold).sort((x, y) => x - y);
  }

  return { keep, nearest, all };
}
