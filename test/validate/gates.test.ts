/**
 * Every gate is held to the contract, and a seeded simulation counts how often it is wrong when nothing differs.
 */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { extensionIds } from "../../src/foundation/discovery.ts";
import { bootstrapInterval } from "../../src/statistics/bootstrap.ts";
import { mcnemar } from "../../src/statistics/mcnemar.ts";
import { newcombeInterval } from "../../src/statistics/newcombe.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { minimumDetectable } from "../../src/statistics/power.ts";
import { type Gate, loadGate, type PairFigures } from "../../src/validate/gate.ts";
import { band, REPEATS, shareOf, type Truth } from "../statistics/simulated-families.ts";

const ALPHA = 0.05;
const gates = await extensionIds(join(import.meta.dirname, "../../src/validate/gates"));

function figuresOf(families: number[][]): PairFigures {
  const differences = families.flat();
  const count = (value: number) => differences.filter((difference) => difference === value).length;
  const counts = { both: 0, onlyTreatment: count(1), onlyReference: count(-1), neither: count(0) };
  const estimate = pairedDifference(families);
  return {
    reference: "base",
    treatment: "candidate",
    n: differences.length,
    families: families.length,
    ...counts,
    difference: estimate.difference,
    clusterInterval: clusterInterval(estimate, ALPHA),
    newcombeInterval: newcombeInterval(counts, ALPHA),
    bootstrapInterval: bootstrapInterval(families, { alpha: ALPHA, seed: 1, resamples: 50 }),
    ...mcnemar(counts),
    holmP: mcnemar(counts).midP,
    minimumDetectable: minimumDetectable(estimate, ALPHA),
    tokenRatio: null,
  };
}

const verdictOf = (gate: Gate, families: number[][]) => gate.judge(figuresOf(families), ALPHA).verdict;

/** Twelve families of ten items; `gained` of each family's items are won and `lost` of them lost. */
function even(gained: number, lost: number): number[][] {
  return Array.from({ length: 12 }, (_, family) =>
    Array.from({ length: 10 }, (_, n) => (n < gained + (family % 2) ? 1 : n >= 10 - lost ? -1 : 0)),
  );
}

describe.each(gates)("the gate %s", (id) => {
  test("says better, worse and inconclusive, each with a reason", async () => {
    const gate = await loadGate(id);
    for (const [families, verdict] of [
      [even(4, 1), "better"],
      [even(4, 1).map((items) => items.map((d) => -d)), "worse"],
      [even(3, 1).map((items, k) => (k % 4 < 2 ? items : items.map((d) => -d))), "inconclusive"],
    ] as const) {
      const judged = gate.judge(figuresOf(families), ALPHA);
      expect(judged.verdict).toBe(verdict);
      expect(judged.reasons[0]).toMatch(/\.$/);
    }
  });

  test("is not taken in by two items that happen to agree", async () => {
    expect(verdictOf(await loadGate(id), [[1], [1]])).toBe("inconclusive");
  });

  test("says better or worse at most about 5 % of the time where base meets base", async () => {
    const gate = await loadGate(id);
    const scenes: Truth[] = [
      { families: 14, items: 280, discordance: 0.1, difference: 0, familySd: 0 },
      { families: 12, items: 200, discordance: 0.03, difference: 0, familySd: 0 },
      { families: 14, items: 400, discordance: 0.2, difference: 0, familySd: 0.08 },
      { families: 4, items: 80, discordance: 0.2, difference: 0, familySd: 0.04 },
    ];
    for (const scene of scenes) {
      const key = `${id} ${scene.families} ${scene.items}`;
      const share = shareOf(key, scene, (families) => verdictOf(gate, families) !== "inconclusive");
      const truth = `${scene.families} families, ${scene.items} items, discordance ${scene.discordance}`;
      console.log(`${id}: ${truth}: ${(100 * share).toFixed(1)} % false alarms of ${REPEATS}`);
      expect(share).toBeLessThan(0.06 + band(0.05));
    }
  });
});
