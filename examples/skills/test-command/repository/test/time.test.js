import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, isLeapYear } from "../src/time.js";

test("clock has two digits behind each colon", () => {
  assert.equal(clock(3723), "1:02:03");
  assert.equal(clock(59), "0:00:59");
});

test("clock counts minutes within the hour", () => {
  assert.equal(clock(7260), "2:01:00");
});

test("leap years come every four years", () => {
  assert.equal(isLeapYear(2024), true);
  assert.equal(isLeapYear(2023), false);
});

test("leap years pass over three centuries in four", () => {
  assert.equal(isLeapYear(1900), false);
  assert.equal(isLeapYear(2000), true);
});
