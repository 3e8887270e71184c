/**
 * For each band a hash table with open addressing of the texts that were kept, where texts of one hash form a chain: who is
 * asked for the texts that share a band with another walks those chains alone. Does not compare texts.
 */
export interface BandChains {
  /** Contract: at most `capacity` texts, each once, with numbers below `capacity`. */
  keep(number: number): void;
  /** Returns the kept texts that share a band with this one, each once, in no order. Valid until the next call. */
  sharing(number: number): Uint32Array;
}

export interface BandChainsShape {
  bands: number;
  capacity: number;
  bandHash(number: number, band: number): number;
}

/** Makes empty tables for at most `capacity` texts. */
export function bandChains({ bands, capacity, bandHash }: BandChainsShape): BandChains {
  const slots = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
  /** The number of the text kept last under a hash, plus one; 0 where a slot is free. */
  const tables = Array.from({ length: bands }, () => new Int32Array(slots));
  /** Of each text in each band: the one kept before it under the same hash, plus one. */
  const before = Array.from({ length: bands }, () => new Int32Array(capacity));
  /** The last question in which a text was met, so that one that shares several bands comes once. */
  const metIn = new Uint32Array(capacity);
  const met = new Uint32Array(capacity);
  let questions = 0;

  function slotOf(band: number, hash: number): number {
    const table = tables[band] as Int32Array;
    for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const head = table[slot] as number;
      if (head === 0 || bandHash(head - 1, band) === hash) return slot;
    }
  }

  function keep(number: number): void {
    for (let band = 0; band < bands; band++) {
      const table = tables[band] as Int32Array;
      const slot = slotOf(band, bandHash(number, band));
      (before[band] as Int32Array)[number] = table[slot] as number;
      table[slot] = number + 1;
    }
  }

  function sharing(number: number): Uint32Array {
    let count = 0;
    questions += 1;
    for (let band = 0; band < bands; band++) {
      const chain = before[band] as Int32Array;
      let next = (tables[band] as Int32Array)[slotOf(band, bandHash(number, band))] as number;
      for (; next !== 0; next = chain[next - 1] as number) {
        if (metIn[next - 1] === questions) continue;
        metIn[next - 1] = questions;
        met[count++] = next - 1;
      }
    }
    return met.subarray(0, count);
  }

  return { keep, sharing };
}
