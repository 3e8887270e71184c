import assert from "node:assert/strict";
import { test } from "node:test";
import { average, chunks } from "../src/lists.js";

test("average is the sum over the count", () => {
  assert.equal(average([2, 4]), 3);
  assert.equal(average([5]), 5);
});

test("chunks hold every member once", () => {
  assert.deepEqual(chunks([1, 2, 3, 4], 2), [
    [1, 2],
    [3, 4],
  ]);
});

test("chunks end with a shorter one", () => {
  assert.deepEqual(chunks([1, 2, 3], 2), [[1, 2], [3]]);
  assert.deepEqual(chunks([], 2), []);
});
