/**
 * The axis that decides is held to its contract, and a seeded simulation counts how often it is wrong when nothing differs.
 */
import { describe, expect, test } from "vitest";
import { gateSchema } from "../../src/records/gate.ts";
import axis from "../../src/validate/axes/primary.ts";
import { band, REPEATS, shareOf, type Truth } from "../statistics/simulated-families.ts";

const GATE = gateSchema.parse({});

function outcomeOf(differences: number[][]) {
  const primary = { skill: "sql", differences, baseRate: 0.5, counts: null, costs: null };
  const nothing = { sides: [], general: [], foreign: [], kl: null, isLive: true, taint: [], leaks: [] };
  const [result] = axis.judge({ ...nothing, primary }, GATE);
  return result;
}

/** Twelve families of ten items; `gained` of each family's items are won and `lost` of them lost. */
function even(gained: number, lost: number): number[][] {
  return Array.from({ length: 12 }, (_, family) =>
    Array.from({ length: 10 }, (_, n) => (n < gained + (family % 2) ? 1 : n >= 10 - lost ? -1 : 0)),
  );
}

describe("first-try success", () => {
  test("passes, fails and stays open, each with a reason", () => {
    for (const [families, outcome] of [
      [even(4, 1), "passed"],
      [even(4, 1).map((items) => items.map((d) => -d)), "failed"],
      [even(3, 1).map((items, k) => (k % 4 < 2 ? items : items.map((d) => -d))), "inconclusive"],
    ] as const) {
      const judged = outcomeOf(families);
      expect(judged?.outcome).toBe(outcome);
      expect(judged?.reason).toMatch(/\.$/);
    }
  });

  test("is not taken in by two items that happen to agree", () => {
    expect(outcomeOf([[1], [1]])?.outcome).toBe("inconclusive");
  });

  test("passes or fails at most about 5 % of the time where base meets base", () => {
    const scenes: Truth[] = [
      { families: 14, items: 280, discordance: 0.1, difference: 0, familySd: 0 },
      { families: 12, items: 200, discordance: 0.03, difference: 0, familySd: 0 },
      { families: 14, items: 400, discordance: 0.2, difference: 0, familySd: 0.08 },
      { families: 4, items: 80, discordance: 0.2, difference: 0, familySd: 0.04 },
    ];
    for (const scene of scenes) {
      const key = `primary ${scene.families} ${scene.items}`;
      const share = shareOf(key, scene, (families) => outcomeOf(families)?.outcome !== "inconclusive");
      const truth = `${scene.families} families, ${scene.items} items, discordance ${scene.discordance}`;
      console.log(`${truth}: ${(100 * share).toFixed(1)} % false alarms of ${REPEATS}`);
      expect(share).toBeLessThan(0.06 + band(0.05));
    }
  });
});
