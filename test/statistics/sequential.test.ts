/** Tests that may stop early, and the price of using a test set again. */
import { describe, expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { discordantBets } from "../../src/statistics/discordant-bets.ts";
import { reuseAlpha } from "../../src/statistics/test-set-reuse.ts";
import { band, REPEATS } from "./simulated-families.ts";

const ALPHA = 0.05;
const PAIRS = 200;

/** Share of repeats in which a side's wealth ever reaches 1 / alpha, where pairs that differ favour the treatment so often. */
function everRejected(key: string, { favour, side }: { favour: number; side: "better" | "worse" }): number {
  const draws = random("simulation", key);
  let count = 0;
  for (let k = 0; k < REPEATS; k++) {
    const pairs = Array.from({ length: PAIRS }, () => draws.next() < favour);
    if (discordantBets(pairs).some((bets) => bets[side] >= 1 / ALPHA)) count += 1;
  }
  return count / REPEATS;
}

describe("bets on pairs that differ", () => {
  test("equal four rounds worked by hand", () => {
    // Forecasts 1/2, 3/4, 5/6, 7/8; the last one lost.
    const [first, second, third, fourth] = discordantBets([true, true, true, false]);
    expect(first).toEqual({ better: 1, worse: 1, pairs: 1 });
    expect(second?.better).toBeCloseTo(1.5, 12);
    expect(third?.better).toBeCloseTo(2.5, 12);
    expect(fourth?.better).toBeCloseTo(2.5 * 2 * (1 / 8), 12);
    // Against the treatment nothing was ever staked: its forecast stays at one half.
    expect(fourth?.worse).toBeCloseTo(1, 12);
  });

  test("mirror when the arms are swapped", () => {
    const favours = [true, false, false, true, false, false, false];
    const swapped = discordantBets(favours.map((win) => !win));
    for (const [i, { better, worse }] of discordantBets(favours).entries()) {
      expect(swapped[i]).toMatchObject({ better: worse, worse: better });
    }
  });

  test("find something that is not there in less than alpha of all tries, whenever one looks", () => {
    for (const favour of [0.5, 0.4]) {
      const share = everRejected(`null ${favour}`, { favour, side: "better" });
      console.log(`bets, ${favour} of pairs favour it: "better" after any of ${PAIRS}: ${(100 * share).toFixed(1)} %`);
      expect(share).toBeLessThan(ALPHA + band(ALPHA));
    }
  });

  test("find what is there, often before all pairs are seen", () => {
    const power = everRejected("power", { favour: 0.7, side: "better" });
    console.log(`bets, 0.7 of pairs favour it: found within ${PAIRS} in ${(100 * power).toFixed(1)} %`);
    expect(power).toBeGreaterThan(0.9);
    expect(everRejected("power", { favour: 0.7, side: "worse" })).toBeLessThan(ALPHA);
  });
});

test("the alphas of all candidates on one test set sum to the whole", () => {
  expect(reuseAlpha(0.05, 1)).toBeCloseTo(0.025, 15);
  expect(reuseAlpha(0.05, 2)).toBeCloseTo(0.05 / 6, 15);
  const sum = Array.from({ length: 5000 }, (_, i) => reuseAlpha(0.05, i + 1)).reduce((all, one) => all + one, 0);
  expect(sum).toBeLessThan(0.05);
  expect(sum).toBeCloseTo(0.05, 4);
});
