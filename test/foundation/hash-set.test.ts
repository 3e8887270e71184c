import fc from "fast-check";
import { expect, test } from "vitest";
import { openHashSet } from "../../src/foundation/hash-set.ts";
import { type Hash, hashText, ZERO_HASH } from "../../src/foundation/hashing.ts";

/** Many that begin alike, so that they meet. */
const hash = fc
  .tuple(fc.constantFrom("00000000", "ffffffff", "00000001"), fc.integer({ min: 0, max: 50 }))
  .map(([start, n]) => `${start}${hashText(`${n}`).slice(8)}` as Hash);

test("what was added is held, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(hash, fc.constant(ZERO_HASH))), fc.array(hash), (added, others) => {
      const set = openHashSet();
      for (const one of added) set.add(one);
      for (const one of [...added, ...others, ZERO_HASH]) expect(set.has(one)).toBe(added.includes(one));
    }),
  );
});

test("a set that has grown many times holds all that it held", () => {
  const set = openHashSet();
  const hashes = Array.from({ length: 20_000 }, (_, i) => hashText(`${i}`));
  for (const one of hashes) set.add(one);
  expect(hashes.every((one) => set.has(one))).toBe(true);
  expect(hashes.some((one) => set.has(hashText(one)))).toBe(false);
});
