/**
 * What a comparison that may end early finds, and what it spares, beside one look at its end: seeded draws of a candidate that is
 * better. `TRACEMILL_LONG=1` runs the full counts.
 */
import { describe, expect, test } from "vitest";
import { groupBy } from "../../src/foundation/group-by.ts";
import { random } from "../../src/foundation/random.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { gatePower } from "../../src/statistics/gate-power.ts";
import { countPairs, type PairedOutcome } from "../../src/statistics/paired-counts.ts";
import { decidingRates } from "../../src/validate/deciding-interval.ts";
import { LOOKS, stopOf } from "../../src/validate/sequential.ts";
import { band, REPEATS } from "../statistics/simulated-families.ts";
import { drawPairs, familiesOf } from "./drawn-pairs.ts";

const GATE = gateSchema.parse({});

interface Scene {
  items: number;
  discordance: number;
  difference: number;
  alpha: number;
}

function isBetterAtOneLook(pairs: readonly PairedOutcome[], families: readonly string[], alpha: number): boolean {
  const judged = pairs.map((pair, index) => ({ ...pair, family: families[index] }));
  const differences = [...groupBy(judged, ({ family }) => family).values()].map((items) =>
    items.map(({ reference, treatment }) => Number(treatment) - Number(reference)),
  );
  return (decidingRates({ differences, counts: countPairs(pairs) }, alpha)?.low ?? -1) > 0;
}

/** Shares of all draws: found by looks, found by one look at the end; of the items, how many are run. */
function seen({ items, discordance, difference, alpha }: Scene) {
  const draws = random("simulation", `early ${items} ${discordance} ${difference} ${alpha}`);
  const families = familiesOf(items);
  const drawn = { discordance, difference, both: 0.3, familyBias: 0 };
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

/** What `validate --sequential --plan` says of it. */
function planned({ items, discordance, difference, alpha }: Scene): number {
  const plan = {
    ...{ primary: { items, families: 13, discordant: discordance }, sides: [], general: [], margin: 0.03 },
    ...{ alpha, primaryAlpha: alpha / LOOKS, minFamilies: 10, designEffect: 1, samples: 1, within: 0 },
  };
  return gatePower(plan, difference).primary;
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
    const plan = planned(scene);
    const shown = [early, plan, atEnd, run].map((share) => `${(100 * share).toFixed(1)} %`);
    const what = `${scene.items} items that differ on ${scene.discordance}, +${100 * scene.difference} points, alpha ${scene.alpha}`;
    console.log(`${what}: better in ${shown[0]} (planned ${shown[1]}), at one look ${shown[2]}, items run ${shown[3]}`);
    expect(early).toBeLessThan(atEnd);
    // The bets take something from what the plan says, which reckons with the last look alone.
    expect(early).toBeGreaterThan(plan - 0.05 - band(plan));
    expect(early).toBeLessThan(plan + 0.03 + band(plan));
    expect(run).toBeLessThan(0.95);
  });
});
