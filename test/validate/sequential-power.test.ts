/**
 * What a comparison that may end early finds, and what it spares, beside one look at its end: seeded draws of a candidate that is
 * better. `TRACEMILL_LONG=1` runs the full counts.
 */
import { describe, expect, test } from "vitest";
import { groupBy } from "../../src/foundation/group-by.ts";
import { random } from "../../src/foundation/random.ts";
import { gateSchema } from "../../src/records/gate.ts";
import type { PlannedGate } from "../../src/statistics/gate-power.ts";
import { countPairs, type PairedOutcome } from "../../src/statistics/paired-counts.ts";
import { decidingRates } from "../../src/validate/deciding-interval.ts";
import { earlyGatePower } from "../../src/validate/early-power.ts";
import { stopOf } from "../../src/validate/sequential.ts";
import { band, REPEATS } from "../statistics/simulated-families.ts";
import { drawPairs, familiesOf } from "./drawn-pairs.ts";

const GATE = gateSchema.parse({});

interface Scene {
  items: number;
  discordance: number;
  difference: number;
  alpha: number;
  familyBias?: number;
  families?: number;
}

function isBetterAtOneLook(pairs: readonly PairedOutcome[], families: readonly string[], alpha: number): boolean {
  const judged = pairs.map((pair, index) => ({ ...pair, family: families[index] }));
  const differences = [...groupBy(judged, ({ family }) => family).values()].map((items) =>
    items.map(({ reference, treatment }) => Number(treatment) - Number(reference)),
  );
  return (decidingRates({ differences, counts: countPairs(pairs) }, alpha)?.low ?? -1) > 0;
}

/** Shares of all draws: found by looks, found by one look at the end; of the items, how many are run. */
function seen({ items, discordance, difference, alpha, familyBias = 0, families: count = 13 }: Scene) {
  const draws = random("simulation", `early ${items} ${discordance} ${difference} ${alpha}`);
  const families = familiesOf(items, count);
  const drawn = { discordance, difference, both: 0.3, familyBias, families: count };
  let [early, atEnd, run] = [0, 0, 0];
  for (let k = 0; k < REPEATS; k++) {
    const pairs = drawPairs(drawn, items, draws);
    const stop = stopOf(pairs, { families, alpha, gate: GATE });
    early += Number(stop.verdict === "better");
    run += stop.items / items;
    atEnd += Number(isBetterAtOneLook(pairs, families, alpha));
  }
  return { early: early / REPEATS, atEnd: atEnd / REPEATS, run: run / REPEATS };
}

/** What `validate --sequential --plan` reckons with. */
function planOf({ items, discordance, alpha }: Scene, designEffect = 1): PlannedGate {
  return {
    ...{
      primary: { items, families: 13, discordant: discordance, designEffect },
      sides: [],
      general: [],
      margin: 0.03,
    },
    ...{ alpha, minFamilies: 10, samples: 1, within: 0 },
  };
}

describe("a comparison that may end early", () => {
  test.each<Scene>([
    { items: 117, discordance: 0.3, difference: 0.15, alpha: 0.05 },
    { items: 117, discordance: 0.3, difference: 0.15, alpha: 0.025 },
    { items: 117, discordance: 0.3, difference: 0.25, alpha: 0.025 },
    { items: 390, discordance: 0.2, difference: 0.1, alpha: 0.025 },
    { items: 390, discordance: 0.3, difference: 0.1, alpha: 0.025 },
  ])("finds less than one look at the end and spares items: $items items, +$difference, alpha $alpha", (scene) => {
    const { early, atEnd, run } = seen(scene);
    const plan = earlyGatePower(planOf(scene), scene.difference, GATE).primary;
    const shown = [early, plan, atEnd, run].map((share) => `${(100 * share).toFixed(1)} %`);
    const what = `${scene.items} items that differ on ${scene.discordance}, +${100 * scene.difference} points, alpha ${scene.alpha}`;
    console.log(`${what}: better in ${shown[0]} (planned ${shown[1]}), at one look ${shown[2]}, items run ${shown[3]}`);
    expect(early).toBeLessThan(atEnd);
    expect(Math.abs(early - plan)).toBeLessThan(0.03 + band(plan));
    expect(run).toBeLessThan(0.95);
  });

  test("is planned to need items, and to find a difference, at which draws find it in 80 %", () => {
    const scene = { items: 390, discordance: 0.3, difference: 0.1, alpha: 0.025 };
    const { neededItems, detectable } = earlyGatePower(planOf(scene), scene.difference, GATE);
    const items = neededItems as number;
    const needed = seen({ ...scene, items, families: Math.floor((13 * items) / scene.items) }).early;
    const found = seen({ ...scene, difference: detectable as number }).early;
    console.log(`${items} items: found in ${needed}; better by ${detectable}: found in ${found}`);
    expect(Math.abs(needed - 0.8)).toBeLessThan(0.03 + band(0.8));
    expect(Math.abs(found - 0.8)).toBeLessThan(0.03 + band(0.8));
  });

  test("is never found of fewer families than decide, whatever is drawn", () => {
    const plan = { ...planOf({ items: 117, discordance: 0.3, difference: 0.25, alpha: 0.025 }), minFamilies: 14 };
    const gate = gateSchema.parse({ primary: { minFamilies: 14 } });
    expect(earlyGatePower(plan, 0.25, gate).primary).toBe(0);
    const one = { ...plan, primary: { items: 9, families: 1, discordant: 0.3, designEffect: 1 } };
    expect(earlyGatePower(one, 0.25, gate)).toEqual({ detectable: null, primary: 0, whole: 0, neededItems: null });
  });

  test("is planned for families that favour an arm each as often as draws of such families find it", () => {
    // A coin's favour of 14 points makes the variance of 30 items a family three times that of unrelated ones.
    const scene = { items: 390, discordance: 0.3, difference: 0.1, alpha: 0.025 };
    const designEffect = 1 + (29 * 0.14 ** 2) / (scene.discordance - scene.difference ** 2);
    const planned = earlyGatePower(planOf(scene, designEffect), scene.difference, GATE).primary;
    const { early } = seen({ ...scene, familyBias: 0.14 });
    console.log(
      `variance ${designEffect.toFixed(2)} times that of unrelated items: planned ${planned}, found in ${early}`,
    );
    expect(Math.abs(early - planned)).toBeLessThan(0.03 + band(planned));
  });
});
