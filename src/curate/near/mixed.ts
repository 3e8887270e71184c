/**
 * A 32-bit number's bits, spread so that every bit of the result depends on every bit of the number; no two numbers become one.
 * Source: the closing step of MurmurHash3 (Austin Appleby, public domain).
 */
export function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
