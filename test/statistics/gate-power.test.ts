/**
 * The planned power of the gate, held to what seeded draws of families come to.
 */
import { describe, expect, test } from "vitest";
import { gatePower, type PlannedGate } from "../../src/statistics/gate-power.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { ASSUMED_FAMILY_CORRELATION, designEffectOf, plannedDetectable } from "../../src/statistics/planned-power.ts";
import { band, REPEATS, shareOf } from "./simulated-families.ts";

const ALPHA = 0.05;
const PLAN: PlannedGate = {
  primary: { items: 300, families: 15, discordant: 0.2, designEffect: 1 },
  ...{ sides: [], general: [], alpha: ALPHA, minFamilies: 2, samples: 1, within: 0 },
  margin: 0.03,
};

describe("planned power", () => {
  test.each([
    { families: 15, items: 300, discordance: 0.2, difference: 0.08 },
    { families: 12, items: 150, discordance: 0.3, difference: 0.15 },
    { families: 30, items: 1000, discordance: 0.1, difference: 0.03 },
  ])("of $items items in $families families is what draws come to", ({ families, items, discordance, difference }) => {
    const plan = { ...PLAN, primary: { items, families, discordant: discordance, designEffect: 1 } };
    const planned = gatePower(plan, difference).primary;
    const truth = { families, items, discordance, difference, familySd: 0 };
    const seen = shareOf(
      `power ${items}`,
      truth,
      (drawn) => (clusterInterval(pairedDifference(drawn), ALPHA)?.low ?? -1) > 0,
    );
    console.log(
      `power at +${100 * difference} points, n ${items}: planned ${planned.toFixed(3)}, drawn ${seen.toFixed(3)} of ${REPEATS}`,
    );
    expect(Math.abs(planned - seen)).toBeLessThan(0.03 + band(planned));
  });

  test("of many items in few families that differ is what draws come to", () => {
    const size = { items: 2000, families: 13 };
    const designEffect = designEffectOf(size, ASSUMED_FAMILY_CORRELATION);
    const primary = { ...size, discordant: 0.1, designEffect };
    const { detectable } = gatePower({ ...PLAN, primary }, 0.05);
    // Families that spread by the correlation that is assumed.
    const familySd = Math.sqrt((0.1 - (detectable as number) ** 2) * ASSUMED_FAMILY_CORRELATION);
    const truth = { ...size, discordance: 0.1, difference: detectable as number, familySd };
    const isFound = (drawn: number[][]) => (clusterInterval(pairedDifference(drawn), ALPHA)?.low ?? -1) > 0;
    const [seen, alike] = [shareOf("many", truth, isFound), shareOf("many", { ...truth, familySd: 0 }, isFound)];
    console.log(
      `+${(100 * (detectable as number)).toFixed(1)} points of families that differ by ${familySd.toFixed(3)}: ${seen}`,
    );
    expect(Math.abs(seen - 0.8)).toBeLessThan(0.06 + band(0.8));
    expect(alike).toBe(1);
  });

  test("at the detectable difference is 80 %", () => {
    const detectable = plannedDetectable({ items: 300, families: 15 }, { discordant: 0.2, alpha: ALPHA }) as number;
    const { primary, detectable: again } = gatePower(PLAN, detectable);
    expect(again).toBe(detectable);
    expect(primary).toBeCloseTo(0.8, 10);
  });

  test("is that of arms which differ on as many items as the candidate is better, where fewer are named", () => {
    const at = (discordant: number) => gatePower({ ...PLAN, primary: { ...PLAN.primary, discordant } }, 0.1).primary;
    expect([at(0.05), at(0.02)]).toEqual([at(0.1), at(0.1)]);
    expect(at(0.2)).toBeLessThan(at(0.1));
  });

  test("of the whole gate falls with every axis, and its needed items bring it to 80 %", () => {
    const sides = [{ items: 200, families: 12, discordant: 0.05, designEffect: 1 }];
    const general = [{ texts: 120, groups: 12, sd: 0.05, margin: 0.02 }];
    const whole = { ...PLAN, sides, general };
    const [alone, all] = [gatePower(PLAN, 0.1), gatePower(whole, 0.1)];
    expect(alone.whole).toBe(alone.primary);
    expect(all.whole).toBeLessThan(alone.whole);
    const growth = (all.neededItems as number) / 300;
    const grown = {
      ...whole,
      primary: { ...whole.primary, items: 300 * growth, families: 15 * growth },
      sides: sides.map((side) => ({ ...side, items: side.items * growth, families: side.families * growth })),
      general: general.map((set) => ({ ...set, texts: set.texts * growth, groups: set.groups * growth })),
    };
    expect(gatePower(grown, 0.1).whole).toBeCloseTo(0.8, 1);
  });

  test("grows with samples only as far as they take variance away", () => {
    const more = (within: number) => gatePower({ ...PLAN, samples: 4, within }, 0.05).primary;
    expect(more(0)).toBe(gatePower(PLAN, 0.05).primary);
    expect(more(0.8)).toBeGreaterThan(more(0.2));
  });

  test("cannot be told of one family, and is never reached without a difference", () => {
    expect(
      gatePower({ ...PLAN, primary: { items: 9, families: 1, discordant: 0.2, designEffect: 1 } }, 0.1),
    ).toMatchObject({
      detectable: null,
      primary: 0,
    });
    expect(gatePower(PLAN, 0).neededItems).toBeNull();
  });
});
