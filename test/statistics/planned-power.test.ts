import { expect, it } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { plannedDetectable } from "../../src/statistics/planned-power.ts";

it("gives Connor's figures at 80 % power where every item is a family", () => {
  const at = (items: number, discordant: number) =>
    plannedDetectable({ items, families: items }, { discordant, alpha: 0.05 }) as number;
  for (const [items, ...points] of [
    [150, 7.2, 8.8, 10.1],
    [200, 6.2, 7.6, 8.8],
    [1000, 2.8, 3.4, 4.0],
  ] as const) {
    for (const [index, discordant] of [0.1, 0.15, 0.2].entries())
      expect(100 * at(items, discordant)).toBeCloseTo(points[index] as number, 0);
  }
  expect(100 * at(200, 0.1)).toBeCloseTo(6.2, 1);
});

it("is wider with few families, and nothing with one", () => {
  const at = (families: number) => plannedDetectable({ items: 200, families }, { discordant: 0.1, alpha: 0.05 });
  expect(at(10)).toBeGreaterThan(at(30) as number);
  expect(at(1)).toBeNull();
});

it("is the difference that is found with 80 % power in simulated comparisons", () => {
  const families = 40;
  const perFamily = 10;
  const items = families * perFamily;
  const discordant = 0.2;
  const difference = plannedDetectable({ items, families }, { discordant, alpha: 0.05 }) as number;
  const draw = random("planned-power", 1);
  const trials = 2000;
  let found = 0;
  for (let trial = 0; trial < trials; trial++) {
    const drawn = Array.from({ length: families }, () =>
      Array.from({ length: perFamily }, () => {
        const u = draw.next();
        return u < (discordant + difference) / 2 ? 1 : u < discordant ? -1 : 0;
      }),
    );
    const interval = clusterInterval(pairedDifference(drawn), 0.05);
    if (interval !== null && (interval.low > 0 || interval.high < 0)) found += 1;
  }
  console.log(`power at the planned difference: ${found / trials}`);
  expect(found / trials).toBeGreaterThan(0.76);
  expect(found / trials).toBeLessThan(0.86);
});

it("is nothing where it would be more than the share of items on which the arms differ, whatever samples leave of the variance", () => {
  const at = (discordant: number, sampleFactor = 1) =>
    plannedDetectable({ items: 117, families: 13 }, { discordant, alpha: 0.025, designEffect: 1.5, sampleFactor });
  expect([at(0.05), at(0.1)]).toEqual([null, null]); // 8.3 and 11.8 points
  expect(at(0.2)).toBeCloseTo(0.166, 3);
  expect(at(0.1, 0.5)).toBeCloseTo(0.083, 3);
});
