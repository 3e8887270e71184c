/**
 * Seeded random numbers: the same key gives the same stream on every machine.
 *
 * A stream is named by a key of parts (`random(seed, "tips", item)`), so that one draw more in one place never
 * shifts the draws of another. Generator: xoshiro128**, seeded from SHA-256 of the key.
 * Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021.
 */
import { createHash } from "node:crypto";
import { assert } from "./errors.ts";

export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in [low, high], both ends included. */
  integer(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  /** A new array in random order (Fisher-Yates). */
  shuffle<T>(values: readonly T[]): T[];
  /** `count` different members in random order; all of them where there are fewer. */
  sample<T>(values: readonly T[], count: number): T[];
}

/** Opens the stream of a key at its beginning. */
export function random(...key: (string | number)[]): Random {
  const digest = createHash("sha256").update(JSON.stringify(key)).digest();
  let a = digest.readUInt32LE(0);
  let b = digest.readUInt32LE(4);
  let c = digest.readUInt32LE(8);
  let d = digest.readUInt32LE(12) | 1;
  const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k));

  function next(): number {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result / 0x1_0000_0000;
  }

  function integer(low: number, high: number): number {
    assert(high >= low, `integer(${low}, ${high}): empty range`);
    return low + Math.floor(next() * (high - low + 1));
  }

  function pick<T>(values: readonly T[]): T {
    assert(values.length > 0, "pick from an empty list");
    return values[integer(0, values.length - 1)] as T;
  }

  function shuffle<T>(values: readonly T[]): T[] {
    const out = [...values];
    for (let i = out.length - 1; i > 0; i--) {
      const j = integer(0, i);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  return { next, integer, pick, shuffle, sample: (values, count) => shuffle(values).slice(0, count) };
}
