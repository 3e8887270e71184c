/**
 * Numbers by texts, kept outside of the JavaScript heap: 24 bytes a place, whatever the text's length. Of what there may be
 * millions of, entries of a Map would take several times the room and be looked at by every garbage collection. A text is known
 * by 128 bits of its SHA-256, and cannot be asked back. Open addressing, as in `hash-set.ts`.
 */
import { hash } from "node:crypto";

export interface TextNumbers {
  readonly size: number;
  /** Returns undefined where the text has no number. */
  get(text: string): number | undefined;
  /** Contract: the number is one, not NaN. */
  set(text: string, number: number): void;
}

const FIRST_PLACES = 1 << 10;
const KEY_WORDS = 4;

/** Makes an empty table, which grows as it fills. */
export function textNumbers(): TextNumbers {
  let places = FIRST_PLACES;
  let keys = new Uint32Array(KEY_WORDS * places);
  let numbers = new Float64Array(places).fill(Number.NaN);
  let size = 0;
  const sought = new Uint32Array(KEY_WORDS);
  let soughtText: string | null = null;

  function seek(text: string): number {
    if (text !== soughtText) {
      const digest = hash("sha256", text, "buffer");
      for (let word = 0; word < KEY_WORDS; word++) sought[word] = digest.readUInt32LE(4 * word);
      soughtText = text;
    }
    return placeOf(sought, 0);
  }

  /** Where the key that begins there is, or would be. */
  function placeOf(of: Uint32Array, at: number): number {
    for (let place = (of[at] as number) % places; ; place = (place + 1) % places) {
      if (Number.isNaN(numbers[place]) || isSameKey([of, at], [keys, KEY_WORDS * place])) return place;
    }
  }

  function put(of: Uint32Array, at: number, number: number): void {
    const place = placeOf(of, at);
    keys.set(of.subarray(at, at + KEY_WORDS), KEY_WORDS * place);
    numbers[place] = number;
  }

  function grow(): void {
    const [keysBefore, before] = [keys, numbers];
    places *= 2;
    keys = new Uint32Array(KEY_WORDS * places);
    numbers = new Float64Array(places).fill(Number.NaN);
    for (const [place, number] of before.entries()) {
      if (!Number.isNaN(number)) put(keysBefore, KEY_WORDS * place, number);
    }
  }

  return {
    get size() {
      return size;
    },
    get(text) {
      const number = numbers[seek(text)] as number;
      return Number.isNaN(number) ? undefined : number;
    },
    set(text, number) {
      if (Number.isNaN(numbers[seek(text)])) size += 1;
      put(sought, 0, number);
      if (3 * size > 2 * places) grow();
    },
  };
}

function isSameKey([x, atX]: [Uint32Array, number], [y, atY]: [Uint32Array, number]): boolean {
  for (let word = 0; word < KEY_WORDS; word++) if (x[atX + word] !== y[atY + word]) return false;
  return true;
}
