/**
 * Seeded simulations: does an interval hold the truth as often as it says, and is the power what it is said to be?
 * The figures are printed. `TRACEMILL_LONG=1` runs the full counts.
 */
import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { meanOf } from "../../src/foundation/sums.ts";
import { bootstrapInterval } from "../../src/statistics/bootstrap.ts";
import { countPairs, type PairedCounts } from "../../src/statistics/paired-counts.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { minimumDetectable } from "../../src/statistics/power.ts";
import { decidingRates } from "../../src/validate/deciding-interval.ts";
import { band, drawFamilies, REPEATS, shareOf, type Truth } from "./simulated-families.ts";

const ALPHA = 0.05;
const SCENES: Truth[] = [
  { families: 12, items: 200, discordance: 0.2, difference: 0, familySd: 0 },
  { families: 12, items: 240, discordance: 0.2, difference: 0, familySd: 0.08 },
  { families: 14, items: 280, discordance: 0.3, difference: 0.1, familySd: 0.08 },
  { families: 14, items: 400, discordance: 0.1, difference: 0.03, familySd: 0.02 },
  { families: 10, items: 300, discordance: 0.3, difference: 0.05, familySd: 0.08 },
];

function describeScene({ families, items, discordance, difference, familySd }: Truth): string {
  return `${families} families, ${items} items, discordance ${discordance}, difference ${difference}, family sd ${familySd}`;
}

test("the cluster-robust t interval holds the truth about 95 % of the time", () => {
  for (const scene of SCENES) {
    const share = shareOf(describeScene(scene), scene, (families) => {
      const interval = clusterInterval(pairedDifference(families), ALPHA);
      return interval !== null && interval.low <= scene.difference && scene.difference <= interval.high;
    });
    console.log(`t interval: ${describeScene(scene)}: covers ${(100 * share).toFixed(1)} % of ${REPEATS}`);
    // Family sums are skewed and few, which costs up to 1.5 points.
    expect(share).toBeGreaterThan(0.935 - band(0.05));
    expect(share).toBeLessThan(0.97 + band(0.05));
  }
});

/** Every cell of items, discordance, families and their spread in which ten pairs or more are expected to differ. */
const GRID: Truth[] = [150, 400, 1000].flatMap((items) =>
  [0.05, 0.1, 0.2, 0.3].flatMap((discordance) =>
    [12, 20, 30].flatMap((families) =>
      [0, 0.08]
        .filter(() => items * discordance >= 10)
        .map((familySd) => ({ families, items, discordance, difference: 0, familySd })),
    ),
  ),
);

test("the cluster-robust t interval covers 93.5 to 96.5 % over the whole grid", () => {
  const cells = GRID.map((scene) => {
    const share = shareOf(`grid ${describeScene(scene)}`, scene, (families) => {
      const interval = clusterInterval(pairedDifference(families), ALPHA);
      return interval !== null && interval.low <= 0 && 0 <= interval.high;
    });
    return { name: describeScene(scene), share };
  }).sort((a, b) => a.share - b.share);
  for (const { name, share } of [...cells.slice(0, 3), ...cells.slice(-3)])
    console.log(`t interval, grid of ${cells.length}: ${name}: covers ${(100 * share).toFixed(1)} % of ${REPEATS}`);
  expect(cells[0]?.share).toBeGreaterThan(0.935 - band(0.065));
  expect(cells.at(-1)?.share).toBeLessThan(0.965 + band(0.035));
}, 1_800_000);

test("the bootstrap over families covers less than it says with few families, which is why it does not decide", () => {
  const few: Truth = { families: 4, items: 120, discordance: 0.3, difference: 0.05, familySd: 0.08 };
  const holds = (interval: { low: number; high: number } | null) =>
    interval !== null && interval.low <= few.difference && few.difference <= interval.high;
  const bootstrap = shareOf("few families", few, (families) =>
    holds(bootstrapInterval(families, { alpha: ALPHA, seed: 1, resamples: 500 })),
  );
  const t = shareOf("few families", few, (families) => holds(clusterInterval(pairedDifference(families), ALPHA)));
  console.log(`4 families: bootstrap covers ${(100 * bootstrap).toFixed(1)} %, t ${(100 * t).toFixed(1)} %`);
  expect(bootstrap).toBeLessThan(0.9);
  expect(t).toBeGreaterThan(0.93 - band(0.07));
});

test.each<Truth>([
  { families: 14, items: 280, discordance: 0.3, difference: 0, familySd: 0.06 },
  { families: 20, items: 200, discordance: 0.1, difference: 0, familySd: 0 },
  { families: 13, items: 104, discordance: 0.096, difference: 0, familySd: 0 },
  { families: 13, items: 104, discordance: 0.067, difference: 0, familySd: 0 },
  { families: 20, items: 200, discordance: 0.02, difference: 0, familySd: 0 },
  { families: 14, items: 560, discordance: 0.002, difference: 0, familySd: 0 },
])("what is said to be found with 80 % is: $items items, arms that differ on $discordance", (scene) => {
  const draws = random("simulation", `minimum detectable ${scene.items} ${scene.discordance}`);
  const sizes = Array.from({ length: REPEATS }, () => {
    const drawn = drawFamilies(scene, draws);
    return minimumDetectable(pairedDifference(drawn), { alpha: ALPHA, counts: countsOf(drawn) });
  }).filter((size) => size !== null);
  const difference = meanOf(sizes);
  const better = { ...scene, difference, discordance: Math.max(scene.discordance, difference) };
  const power = shareOf("power", better, (families) => {
    const interval = decidingRates({ differences: families, counts: countsOf(families) }, ALPHA);
    return interval !== null && interval.low > 0;
  });
  console.log(`minimum detectable ${(100 * difference).toFixed(1)} points: found ${(100 * power).toFixed(1)} %`);
  expect(power).toBeGreaterThan(0.77 - band(0.2));
  // Where few items differ the interval is wider than it need be until some more do: what is named is then a little too large.
  expect(power).toBeLessThan((scene.discordance * scene.items > 20 ? 0.84 : 0.93) + band(0.2));
});

/** The table of differences, as though nothing was solved by both arms. */
function countsOf(families: readonly (readonly number[])[]): PairedCounts {
  return countPairs(families.flat().map((difference) => ({ reference: difference < 0, treatment: difference > 0 })));
}
