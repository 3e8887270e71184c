import { expect, test } from "vitest";
import type { Hash } from "../../src/foundation/hashing.ts";
import { adapterTries } from "../../src/serve/adapter-tries.ts";

const [ONE, TWO] = ["1".repeat(64) as Hash, "2".repeat(64) as Hash];

test("an adapter that failed is held back for a second, then twice as long each time, and at most five minutes", () => {
  let now = 0;
  const tries = adapterTries(() => new Date(now));
  const error = new Error("no room");
  expect([tries.heldBack(ONE), tries.isAnyDue()]).toEqual([null, false]);
  const waits: number[] = [];
  for (let i = 0; i < 11; i++) {
    const waitMs = tries.failed(ONE, error);
    waits.push(waitMs);
    expect([tries.heldBack(ONE), tries.heldBack(TWO), tries.isAnyDue()]).toEqual([error, null, false]);
    now += waitMs;
    expect([tries.heldBack(ONE), tries.isAnyDue()]).toEqual([null, true]);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  tries.served(ONE);
  expect(tries.isAnyDue()).toBe(false);
  expect(tries.failed(ONE, error)).toBe(1000);
});

test("one that is champion no more is not tried again", () => {
  let now = 0;
  const tries = adapterTries(() => new Date(now));
  tries.failed(ONE, new Error("no room"));
  now = 5000;
  tries.keepOnly(new Set([TWO]));
  expect(tries.isAnyDue()).toBe(false);
});
