import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, shares } from "../src/money.js";

test("amount has two digits behind the point", () => {
  assert.equal(amount(1205), "12.05");
  assert.equal(amount(7), "0.07");
});

test("amount keeps the sign of a debt", () => {
  assert.equal(amount(-1205), "-12.05");
});

test("shares add up", () => {
  assert.deepEqual(shares(100, 3), [34, 33, 33]);
  assert.deepEqual(shares(9, 3), [3, 3, 3]);
});
