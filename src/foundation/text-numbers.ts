/**
 * Whole numbers by texts, kept outside of the JavaScript heap: 16 bytes a place, whatever the text's length. Of what there may
 * be millions of, entries of a Map would take several times the room and be looked at by every garbage collection. A text is
 * known by 96 bits of its SHA-256, and cannot be asked back. Open addressing, as in `hash-set.ts`.
 */
import { hash } from "node:crypto";

export interface TextNumbers {
  readonly size: number;
  /** Returns undefined where the text has no number. */
  get(text: string): number | undefined;
  /** Contract: the number is a whole one, and its amount below 2^31. */
  set(text: string, number: number): void;
}

const FIRST_PLACES = 1 << 10;
/** A place is three words of a key, and the number. */
const PLACE_WORDS = 4;
const NUMBER = 3;
/** In place of a number. */
const EMPTY = -(2 ** 31);

/** Makes an empty table, which grows as it fills. */
export function textNumbers(): TextNumbers {
  let table = emptyTable(FIRST_PLACES);
  let size = 0;
  const sought = new Int32Array(PLACE_WORDS);
  let soughtText: string | null = null;

  function seek(text: string): number {
    if (text !== soughtText) {
      const digest = hash("sha256", text, "buffer");
      for (let word = 0; word < NUMBER; word++) sought[word] = digest.readInt32LE(4 * word);
      soughtText = text;
    }
    return placeIn(table, sought);
  }

  function grow(): void {
    const larger = emptyTable(Math.ceil(1.5 * (table.length / PLACE_WORDS)));
    for (let at = 0; at < table.length; at += PLACE_WORDS) {
      if (table[at + NUMBER] === EMPTY) continue;
      const entry = table.subarray(at, at + PLACE_WORDS);
      larger.set(entry, placeIn(larger, entry));
    }
    table = larger;
  }

  return {
    get size() {
      return size;
    },
    get(text) {
      const number = table[seek(text) + NUMBER] as number;
      return number === EMPTY ? undefined : number;
    },
    set(text, number) {
      const at = seek(text);
      if (table[at + NUMBER] === EMPTY) size += 1;
      table.set(sought, at);
      table[at + NUMBER] = number;
      if (4 * size > 3 * (table.length / PLACE_WORDS)) grow();
    },
  };
}

function emptyTable(places: number): Int32Array {
  const table = new Int32Array(PLACE_WORDS * places);
  for (let at = NUMBER; at < table.length; at += PLACE_WORDS) table[at] = EMPTY;
  return table;
}

/** Where the entry of a key is, or would be. */
function placeIn(table: Int32Array, key: Int32Array): number {
  const first = ((key[0] as number) >>> 0) % (table.length / PLACE_WORDS);
  for (let at = PLACE_WORDS * first; ; at = (at + PLACE_WORDS) % table.length) {
    if (table[at + NUMBER] === EMPTY) return at;
    if (table[at] === key[0] && table[at + 1] === key[1] && table[at + 2] === key[2]) return at;
  }
}
