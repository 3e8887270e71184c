import assert from "node:assert/strict";
import { test } from "node:test";
import { initials, slug } from "../src/text.js";

test("initials are capitals", () => {
  assert.equal(initials("ada lovelace"), "AL");
});

test("initials pass over wide gaps", () => {
  assert.equal(initials("Ada  King   Lovelace"), "AKL");
});

test("slug has no other signs", () => {
  assert.equal(slug("What is new, in 2024"), "what-is-new-in-2024");
});

test("slug neither begins nor ends with a hyphen", () => {
  assert.equal(slug("(Really?)"), "really");
});
