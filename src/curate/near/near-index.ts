/**
 * Held-out texts that are asked, one text at a time, whether it is the near-duplicate of one of them: whoever trains on such
 * a text has seen the answer. Does not know where either comes from.
 */
import { type NearOptions, nearParts } from "./near-options.ts";

export interface NearIndex {
  /** Returns the key of the held-out text most like this one, of equally like ones the first; null where none is like it. */
  find(text: string): string | null;
}

/** Reads the held-out texts once; what is kept of each is its key and 300 bytes. */
export function nearIndex(texts: Iterable<{ key: string; text: string }>, options: NearOptions = {}): NearIndex {
  const { put, emptyIndex } = nearParts(options);
  const keys: string[] = [];
  for (const { key, text } of texts) {
    put(keys.length, text);
    keys.push(key);
  }
  const index = emptyIndex(keys.length);
  for (const number of keys.keys()) index.keep(number);
  return {
    find(text) {
      // The text that is asked about lies behind the held-out ones, each time in place of the last.
      put(keys.length, text);
      return keys[index.nearest(keys.length)] ?? null;
    },
  };
}
