/** Tests that may stop early, and the price of using a test set again. */
import { describe, expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { NO_BETS, placeBet, stopsFor } from "../../src/statistics/discordant-bets.ts";
import { reuseAlpha } from "../../src/statistics/test-set-reuse.ts";
import { betsAfterEach } from "./discordant-bets.ts";
import { band, REPEATS } from "./simulated-families.ts";

const ALPHA = 0.05;
const PAIRS = 200;

/** Share of repeats in which a side's wealth ever reaches 1 / alpha, where pairs that differ favour the treatment so often. */
function everRejected(key: string, { favour, side }: { favour: number; side: "better" | "worse" }): number {
  const draws = random("simulation", key);
  let count = 0;
  for (let k = 0; k < REPEATS; k++) {
    const pairs = Array.from({ length: PAIRS }, () => draws.next() < favour);
    if (betsAfterEach(pairs).some((bets) => bets[side] >= 1 / ALPHA)) count += 1;
  }
  return count / REPEATS;
}

describe("bets on pairs that differ", () => {
  test("equal four rounds worked by hand", () => {
    // Forecasts 1/2, 3/4, 5/6, 7/8; the last one lost.
    const [first, second, third, fourth] = betsAfterEach([true, true, true, false]);
    expect(first).toEqual({ better: 1, worse: 1, pairs: 1 });
    expect(second?.better).toBeCloseTo(1.5, 12);
    expect(third?.better).toBeCloseTo(2.5, 12);
    expect(fourth?.better).toBeCloseTo(2.5 * 2 * (1 / 8), 12);
    // Against the treatment nothing was ever staked: its forecast stays at one half.
    expect(fourth?.worse).toBeCloseTo(1, 12);
  });

  test("mirror when the arms are swapped", () => {
    const favours = [true, false, false, true, false, false, false];
    const swapped = betsAfterEach(favours.map((win) => !win));
    for (const [i, { better, worse }] of betsAfterEach(favours).entries()) {
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

describe("stopping early", () => {
  test("is allowed from eight wins in a row on, on either side", () => {
    // All wins: the wealth after k is 2^k (2k choose k) / 4^k; 26.8 after seven stays under 40, 50.3 after eight does not.
    const stops = (win: boolean, pairs: number) =>
      stopsFor(Array.from({ length: pairs }, () => win).reduce(placeBet, NO_BETS), ALPHA);
    expect([stops(true, 7), stops(true, 8)]).toEqual([null, "better"]);
    expect([stops(false, 7), stops(false, 8)]).toEqual([null, "worse"]);
    expect(stopsFor(NO_BETS, ALPHA)).toBeNull();
  });

  test("of arms that are equal comes on either side in less than alpha of all tries", () => {
    const draws = random("simulation", "either side");
    const stopped = Array.from({ length: REPEATS }, () => {
      let state = NO_BETS;
      while (state.pairs < PAIRS && stopsFor(state, ALPHA) === null) state = placeBet(state, draws.next() < 0.5);
      return stopsFor(state, ALPHA) !== null;
    }).filter(Boolean).length;
    console.log(`stopped early though equal: ${((100 * stopped) / REPEATS).toFixed(1)} % of ${REPEATS}`);
    expect(stopped / REPEATS).toBeLessThan(ALPHA + band(ALPHA));
  });
});

test("the alphas of all candidates on one test set sum to the whole", () => {
  expect(reuseAlpha(0.05, 1)).toBeCloseTo(0.025, 15);
  expect(reuseAlpha(0.05, 2)).toBeCloseTo(0.05 / 6, 15);
  const sum = sumOf(Array.from({ length: 5000 }, (_, i) => reuseAlpha(0.05, i + 1)));
  expect(sum).toBeLessThan(0.05);
  expect(sum).toBeCloseTo(0.05, 4);
});
