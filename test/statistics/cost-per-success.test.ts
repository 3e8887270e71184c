import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { costBootstrap, costLimit, costRatio, type PairedCost } from "../../src/statistics/cost-per-success.ts";
import { band, REPEATS } from "./simulated-families.ts";

const item = (reference: [number, number], treatment: [number, number]): PairedCost => ({
  reference: { spent: reference[0], solved: reference[1] },
  treatment: { spent: treatment[0], solved: treatment[1] },
});

test("the cost of a solved item counts what unsolved ones spent", () => {
  // Reference 400 for 2, treatment 300 for 3.
  const families = [
    [item([100, 1], [100, 1]), item([100, 0], [50, 1])],
    [item([100, 1], [100, 1]), item([100, 0], [50, 0])],
  ];
  expect(costRatio(families, 0.05)?.ratio).toBeCloseTo(0.5, 12);
});

test("it cannot be told where an arm solves nothing, and has no interval in one family", () => {
  expect(costRatio([[item([10, 0], [10, 1])], [item([10, 0], [10, 1])]], 0.05)).toBeNull();
  expect(costRatio([[item([10, 1], [10, 0])], [item([10, 1], [10, 0])]], 0.05)).toBeNull();
  const one = [[item([10, 1], [10, 1])]];
  expect(costRatio(one, 0.05)).toEqual({ ratio: 1, interval: null });
  expect(costBootstrap(one, { alpha: 0.05, seed: 1 })).toBeNull();
});

test("it has no interval where two families leave every cost open", () => {
  const each = (reference: number, treatment: number) => Array(4).fill(item([30, reference], [20, treatment]));
  const families = [each(1, 0), each(0, 1)];
  expect(costRatio(families, 0.05)?.interval?.high).toBeGreaterThan(1e6);
  expect(costRatio(families, 0.05 / 30)).toEqual({ ratio: 20 / 30, interval: null });
});

test("where the reference solved nothing it has an upper limit, by what so many items would miss", () => {
  const families = Array.from({ length: 10 }, () => Array.from({ length: 10 }, () => item([10, 0], [10, 1])));
  // None of 100: 3.622 % may be solved unseen, so a solved one costs the reference 1000 / 3.622 at least, the treatment 10.
  expect(costLimit(families, 0.05)).toBeCloseTo(0.03622, 5);
  expect(costLimit([[item([10, 1], [10, 1])]], 0.05)).toBeNull();
  expect(costLimit([[item([10, 0], [10, 0])]], 0.05)).toBeNull();
  expect(costLimit([[item([0, 0], [10, 1])]], 0.05)).toBeNull();
});

test("interval and limit are both below the truth in no more than 2.5 % of all tries, however little the reference solves", () => {
  for (const [each, before, after] of [
    [9, 0.01, 0.15],
    [9, 0.02, 0.05],
    [9, 0.03, 0.05],
    [30, 0.01, 0.05],
    [30, 0.03, 0.15],
  ] as const) {
    const draws = random("simulation", `cost limit ${each} ${before} ${after}`);
    let below = 0;
    for (let k = 0; k < REPEATS; k++) {
      const drawn = Array.from({ length: 13 }, () =>
        Array.from({ length: each }, () => {
          const amounts = [50 + 100 * draws.next(), ((50 + 100 * draws.next()) * after) / before] as const;
          return item([amounts[0], Number(draws.next() < before)], [amounts[1], Number(draws.next() < after)]);
        }),
      );
      const high = costRatio(drawn, 0.05)?.interval?.high ?? costLimit(drawn, 0.05);
      if (high !== null && high < 1) below += 1;
    }
    const share = below / REPEATS;
    console.log(
      `${13 * each} items, ${100 * before} and ${100 * after} % solved: cost said too low in ${(100 * share).toFixed(1)} % of ${REPEATS}`,
    );
    expect(share).toBeLessThan(0.025 + band(0.025));
  }
});

test("its intervals hold the truth about as often as they say with two dozen families", () => {
  const draws = random("simulation", "cost ratio");
  const [families, size] = [24, 12] as const;
  // Mean spent 100 and 60, solved 0.5 and 0.6: 200 against 100 a solved item.
  const draw = () =>
    Array.from({ length: families }, () =>
      Array.from({ length: size }, () =>
        item(
          [50 + 100 * draws.next(), Number(draws.next() < 0.5)],
          [30 + 60 * draws.next(), Number(draws.next() < 0.6)],
        ),
      ),
    );
  const held = { interval: 0, bootstrap: 0 };
  for (let k = 0; k < REPEATS; k++) {
    const drawn = draw();
    const interval = costRatio(drawn, 0.05)?.interval;
    const bootstrap = costBootstrap(drawn, { alpha: 0.05, seed: k, resamples: 400 });
    for (const [kind, found] of Object.entries({ interval, bootstrap }) as [
      "interval" | "bootstrap",
      typeof bootstrap,
    ][]) {
      const { low = 1, high = 0 } = found ?? {};
      if (low <= 0.5 && 0.5 <= high) held[kind] += 1;
    }
  }
  const [t, bootstrap] = [held.interval / REPEATS, held.bootstrap / REPEATS];
  const shown = `t ${(100 * t).toFixed(1)} %, bootstrap ${(100 * bootstrap).toFixed(1)} %`;
  console.log(`cost of a solved item, ${families} families: covers ${shown} of ${REPEATS}`);
  expect(t).toBeGreaterThan(0.94 - band(0.05));
  expect(t).toBeLessThan(0.965 + band(0.05));
  expect(bootstrap).toBeGreaterThan(0.92 - band(0.07));
});
