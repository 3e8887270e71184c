import assert from "node:assert/strict";
import { test } from "node:test";
import { readQuery, writeQuery } from "../src/queries.js";

test("readQuery gives values by name", () => {
  assert.deepEqual(readQuery("a=1&b=2"), { a: "1", b: "2" });
  assert.deepEqual(readQuery(""), {});
});

test("readQuery decodes names and values", () => {
  assert.deepEqual(readQuery("b=two%20words"), { b: "two words" });
});

test("writeQuery sorts by name and encodes", () => {
  assert.equal(writeQuery({ b: "two words", a: 1 }), "a=1&b=two%20words");
});

test("writeQuery leaves out what is null", () => {
  assert.equal(writeQuery({ a: null, b: 0 }), "b=0");
});
