/**
 * A set of SHA-256 hashes that takes 32 bytes a place outside of JavaScript's heap: hundreds of thousands of texts of a hash
 * would take four times as much, and be looked at by every collection. Open addressing: a hash is as good as random, so
 * its first bytes are its place. Does not know what was hashed.
 */
import type { Hash } from "./hashing.ts";

export interface HashSet {
  has(hash: Hash): boolean;
  add(hash: Hash): void;
}

const HASH_BYTES = 32;
const FIRST_PLACES = 1 << 10;

/** Makes an empty set, which grows as it fills. */
export function openHashSet(): HashSet {
  let places = FIRST_PLACES;
  let bytes = Buffer.alloc(places * HASH_BYTES);
  let size = 0;
  let hasZeros = false; // the hash that an empty place looks like
  const sought = Buffer.alloc(HASH_BYTES);

  /** Where the sought hash is, or would be. */
  function startOf(): number {
    for (let place = sought.readUInt32LE(0) % places; ; place = (place + 1) % places) {
      const start = place * HASH_BYTES;
      if (isEmpty(bytes, start) || sought.compare(bytes, start, start + HASH_BYTES) === 0) return start;
    }
  }

  function grow(): void {
    const before = bytes;
    places *= 2;
    bytes = Buffer.alloc(places * HASH_BYTES);
    for (let start = 0; start < before.length; start += HASH_BYTES) {
      if (isEmpty(before, start)) continue;
      before.copy(sought, 0, start, start + HASH_BYTES);
      sought.copy(bytes, startOf());
    }
  }

  return {
    has(hash) {
      sought.write(hash, "hex");
      return isEmpty(sought, 0) ? hasZeros : !isEmpty(bytes, startOf());
    },
    add(hash) {
      sought.write(hash, "hex");
      if (isEmpty(sought, 0)) {
        hasZeros = true;
        return;
      }
      const start = startOf();
      if (!isEmpty(bytes, start)) return;
      sought.copy(bytes, start);
      size++;
      if (3 * size > 2 * places) grow();
    },
  };
}

function isEmpty(bytes: Buffer, start: number): boolean {
  for (let at = start; at < start + HASH_BYTES; at += 4) if (bytes.readInt32LE(at) !== 0) return false;
  return true;
}
