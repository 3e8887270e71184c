import { expect, it } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { plannedDetectable } from "../../src/statistics/planned-power.ts";

it("gives 6 points for 200 items of which 10 % differ, and half of that for four times the items", () => {
  const at = (items: number) => plannedDetectable({ items, families: 200 }, { discordant: 0.1, alpha: 0.05 }) as number;
  expect(at(200)).toBeCloseTo(0.063, 3);
  expect(at(200) / at(800)).toBeCloseTo(2, 10);
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
  expect([at(0.05), at(0.1)]).toEqual([null, null]); // 9.0 and 12.7 points
  expect(at(0.2)).toBeCloseTo(0.179, 3);
  expect(at(0.1, 0.5)).toBeCloseTo(0.09, 3);
});
