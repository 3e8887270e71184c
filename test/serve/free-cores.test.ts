import { expect, it } from "vitest";
import { freeBetween } from "../../src/serve/free-cores.ts";

const START = { allMs: 1000, spareMs: 400, ownMs: 50 };
/** One second later on a machine of `cores`, of which others took `othersMs` and this process `ownMs`. */
const after = (cores: number, othersMs: number, ownMs: number) => ({
  allMs: START.allMs + cores * 1000,
  spareMs: START.spareMs + cores * 1000 - othersMs - ownMs,
  ownMs: START.ownMs + ownMs,
});

it("counts what this process takes itself as free", () => {
  expect(freeBetween(START, after(4, 0, 4000), 4)).toBe(4);
  expect(freeBetween(START, after(4, 2000, 2000), 4)).toBe(2);
});

it("gives a core up where another process shares it", () => {
  expect(freeBetween(START, after(2, 670, 1330), 2)).toBe(1);
});

it("does not give one up for what the system itself takes", () => {
  expect(freeBetween(START, after(2, 150, 1850), 2)).toBe(2);
});

it("leaves at least one core on a machine that others fill", () => {
  expect(freeBetween(START, after(2, 2000, 0), 2)).toBe(1);
});
