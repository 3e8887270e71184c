import { expect, it } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { plannedDetectable } from "../../src/statistics/planned-power.ts";
import { studentTQuantile } from "../../src/statistics/student-t.ts";

it("gives 6 points for 200 items of which 10 % differ, and twice that for a quarter of the items", () => {
  const at = (items: number) => plannedDetectable({ items, families: 200 }, { discordant: 0.1, alpha: 0.05 }) as number;
  expect(at(200)).toBeCloseTo(0.063, 3);
  expect(at(50) / at(200)).toBeCloseTo(2, 10);
});

it("is wider with few families, and nothing with one", () => {
  const at = (families: number) => plannedDetectable({ items: 200, families }, { discordant: 0.1, alpha: 0.05 });
  expect(at(3)).toBeGreaterThan(at(30) as number);
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
    const sums = Array.from({ length: families }, () => {
      let sum = 0;
      for (let i = 0; i < perFamily; i++) {
        const u = draw.next();
        if (u < (discordant + difference) / 2) sum += 1;
        else if (u < discordant) sum -= 1;
      }
      return sum;
    });
    const mean = sums.reduce((x, y) => x + y, 0) / items;
    const spread = sums.reduce((total, sum) => total + (sum - mean * perFamily) ** 2, 0);
    const error = Math.sqrt((families / (families - 1)) * spread) / items;
    if (Math.abs(mean) > studentTQuantile(0.975, families - 1) * error) found += 1;
  }
  console.log(`power at the planned difference: ${found / trials}`);
  expect(found / trials).toBeGreaterThan(0.76);
  expect(found / trials).toBeLessThan(0.86);
});
