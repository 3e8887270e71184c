/**
 * Seeded simulations of what is said of rates, tries taken as independent: do the intervals of Wilson and Newcombe hold the truth, and how
 * often do McNemar's tests and Holm's correction find what is not there? Printed; `TRACEMILL_LONG=1` runs the full counts.
 */
import { expect, test } from "vitest";
import { type Random, random } from "../../src/foundation/random.ts";
import type { Interval } from "../../src/records/comparison.ts";
import { holm } from "../../src/statistics/holm.ts";
import { mcnemar } from "../../src/statistics/mcnemar.ts";
import { newcombeInterval } from "../../src/statistics/newcombe.ts";
import type { PairedCounts } from "../../src/statistics/paired-counts.ts";
import { wilsonInterval } from "../../src/statistics/wilson.ts";
import { band, REPEATS } from "./simulated-families.ts";

const ALPHA = 0.05;

/** A truth of paired rates: pairs, and the shares of them that one arm alone solves, and both do. */
interface Pairs {
  n: number;
  both: number;
  onlyTreatment: number;
  onlyReference: number;
}

const SCENES: Pairs[] = [
  { n: 104, both: 0.02, onlyTreatment: 0.1, onlyReference: 0.01 },
  { n: 100, both: 0.5, onlyTreatment: 0.02, onlyReference: 0.02 },
  { n: 200, both: 0.3, onlyTreatment: 0.15, onlyReference: 0.1 },
  { n: 400, both: 0.6, onlyTreatment: 0.05, onlyReference: 0.08 },
];

function drawPairs({ n, both, onlyTreatment, onlyReference }: Pairs, draws: Random): PairedCounts {
  const counts = { both: 0, onlyTreatment: 0, onlyReference: 0, neither: 0 };
  for (let i = 0; i < n; i++) {
    const u = draws.next();
    if (u < both) counts.both += 1;
    else if (u < both + onlyTreatment) counts.onlyTreatment += 1;
    else if (u < both + onlyTreatment + onlyReference) counts.onlyReference += 1;
    else counts.neither += 1;
  }
  return counts;
}

function shareOfRepeats(key: string, isSo: (draws: Random) => boolean): number {
  const draws = random("simulation", key);
  let count = 0;
  for (let k = 0; k < REPEATS; k++) count += Number(isSo(draws));
  return count / REPEATS;
}

const holds = ({ low, high }: Interval, truth: number) => low <= truth && truth <= high;
const shown = (share: number) => `${(100 * share).toFixed(1)} % of ${REPEATS}`;

test("Wilson's interval holds the rate about as often as it says, at each of these on average", () => {
  const cells = [
    { n: 20, rate: 0.1 },
    { n: 104, rate: 0.02 },
    { n: 104, rate: 0.12 },
    { n: 400, rate: 0.5 },
  ];
  const shares = cells.map(({ n, rate }) => {
    const share = shareOfRepeats(`wilson ${n} ${rate}`, (draws) => {
      const passed = Array.from({ length: n }, () => draws.next()).filter((u) => u < rate).length;
      return holds(wilsonInterval(passed, n, ALPHA), rate);
    });
    console.log(`Wilson, rate ${rate} of ${n}: covers ${shown(share)}`);
    // The share of a single cell swings, as a count of passes is whole.
    expect(share).toBeGreaterThan(0.92 - band(0.08));
    return share;
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  expect(mean).toBeGreaterThan(0.94 - band(0.06) / 2);
  expect(mean).toBeLessThan(0.975 + band(0.025) / 2);
});

test("Newcombe's paired interval holds the difference about as often as it says, or more often", () => {
  for (const scene of SCENES) {
    const truth = scene.onlyTreatment - scene.onlyReference;
    const name = JSON.stringify(scene);
    const share = shareOfRepeats(`newcombe ${name}`, (draws) =>
      holds(newcombeInterval(drawPairs(scene, draws), ALPHA), truth),
    );
    console.log(`Newcombe, ${name}: covers ${shown(share)}`);
    expect(share).toBeGreaterThan(0.945 - band(0.055));
  }
});

test("McNemar's exact test stays below alpha, and the mid-p test at it, where neither arm is better", () => {
  for (const discordant of [0.05, 0.2, 0.4]) {
    const scene = { n: 150, both: 0.3, onlyTreatment: discordant / 2, onlyReference: discordant / 2 };
    const [exact, mid] = (["exactP", "midP"] as const).map((p) =>
      shareOfRepeats(`mcnemar ${discordant}`, (draws) => mcnemar(drawPairs(scene, draws))[p] <= ALPHA),
    ) as [number, number];
    console.log(
      `McNemar, ${discordant} of 150 pairs differ: finds what is not there in ${shown(mid)} (mid-p), ${shown(exact)} (exact)`,
    );
    expect(exact).toBeLessThan(ALPHA + band(ALPHA));
    expect(exact).toBeLessThanOrEqual(mid);
    expect(mid).toBeLessThan(0.055 + band(ALPHA));
  }
});

test("Holm's correction keeps the chance of one false alarm below alpha, beside figures that do differ", () => {
  const [nulls, real] = [5, 3];
  const alarms = (correct: (ps: readonly number[]) => readonly number[]) =>
    shareOfRepeats("holm", (draws) => {
      const ps = [
        ...Array.from({ length: nulls }, () => draws.next()),
        ...Array.from({ length: real }, () => draws.next() * 1e-4),
      ];
      return correct(ps)
        .slice(0, nulls)
        .some((p) => p <= ALPHA);
    });
  const [corrected, raw] = [alarms(holm), alarms((ps) => ps)];
  console.log(
    `Holm, ${nulls} figures that do not differ of ${nulls + real}: one alarm in ${shown(corrected)}, uncorrected ${shown(raw)}`,
  );
  expect(corrected).toBeLessThan(ALPHA + band(ALPHA));
  expect(raw).toBeGreaterThan(0.2 - band(0.2));
});
