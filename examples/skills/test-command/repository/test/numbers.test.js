import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, median } from "../src/numbers.js";

test("median is the middle number", () => {
  assert.equal(median([10, 9, 1]), 9);
});

test("median of an even count lies between two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("clamp keeps what lies inside", () => {
  assert.equal(clamp(5, 0, 10), 5);
});

test("clamp gives the nearer end", () => {
  assert.equal(clamp(-5, 0, 10), 0);
  assert.equal(clamp(15, 0, 10), 10);
});
