/**
 * The interval of every axis is never without width, and below the floor of families no axis decides.
 */
import { describe, expect, test } from "vitest";
import { type GateSettings, gateSchema } from "../../src/records/gate.ts";
import { unseenShare } from "../../src/statistics/agreeing-items.ts";
import { newcombeInterval } from "../../src/statistics/newcombe.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import type { Evidence, SkillEvidence } from "../../src/validate/axis.ts";
import { decidingInterval } from "../../src/validate/deciding-interval.ts";
import { judgeAll, loadAxes } from "../../src/validate/judge.ts";
import { band, REPEATS, shareOf } from "../statistics/simulated-families.ts";

const axes = await loadAxes();
const ALPHA = 0.05;
const GATE = gateSchema.parse({});
const LENIENT = gateSchema.parse({
  skills: { margin: 0.03, allowInconclusive: true },
  general: { margin: 0.02, allowInconclusive: true },
  tokensPerSolved: { atMost: 1.25, allowInconclusive: true },
});

/** Families of items that all came out alike; half of the items are solved by both arms. */
function alike(families: number, each: number, difference = 0): SkillEvidence {
  const differences = Array.from({ length: families }, () => Array<number>(each).fill(difference));
  const n = families * each;
  const cost = { spent: 10, solved: 1 };
  return {
    ...{ skill: "cron", differences, baseRate: 0.5 },
    counts: { both: n / 2, onlyTreatment: 0, onlyReference: 0, neither: n / 2 },
    costs: differences.map((items) => items.map(() => ({ reference: cost, treatment: cost }))),
  };
}

function outcomeOf(axis: string, change: Partial<Evidence>, gate: GateSettings = GATE) {
  const primary = { ...alike(12, 10), skill: "sql" };
  const rest = { sides: [], general: [], foreign: [], kl: null, isLive: true, taint: [], leaks: [] };
  const found = judgeAll(axes, { primary, ...rest, ...change }, gate).axes.find((one) => one.axis === axis);
  return { outcome: found?.outcome, isLetPass: found?.isLetPass, width: widthOf(found?.interval ?? null) };
}

function widthOf(interval: { low: number; high: number } | null) {
  return interval === null ? null : interval.high - interval.low;
}

const texts = (families: number, each: number, difference = 0) => ({
  general: [{ name: "texts", per: "token" as const, differences: alike(families, each, difference).differences }],
});

describe("an interval of items that all agree", () => {
  test("is Newcombe's of their counts, where they are right or wrong", () => {
    const { differences, counts } = alike(12, 10);
    expect(decidingInterval({ differences, counts }, ALPHA)).toEqual(
      newcombeInterval(counts as NonNullable<typeof counts>, ALPHA),
    );
  });

  test("else leaves open what as many items would miss: 3.6 % of all items after 100 of one kind", () => {
    expect(unseenShare(100, ALPHA)).toBeCloseTo(0.03622, 5); // Clopper and Pearson's limit of 0 in 100
    const { differences } = alike(10, 10);
    const interval = decidingInterval({ differences, counts: null }, ALPHA);
    expect(interval?.low).toBeCloseTo(-0.03622, 5);
    expect(interval?.high).toBeCloseTo(0.03622, 5);
  });

  test("is the t interval alone once ten items differ and families do not agree", () => {
    const differences = Array.from({ length: 12 }, (_, k) => [1, 0, 0, k % 2]);
    const counts = { both: 0, onlyTreatment: 18, onlyReference: 0, neither: 30 };
    const interval = decidingInterval({ differences, counts }, ALPHA);
    expect(interval).toEqual(decidingInterval({ differences, counts: null }, ALPHA));
  });
});

test("an interval of pairs of which few differ covers the truth at least as often as it says", () => {
  for (const [families, items, discordance] of [
    [14, 150, 0.02],
    [12, 200, 0.03],
    [20, 400, 0.01],
  ] as const) {
    const truth = { families, items, discordance, difference: 0, familySd: 0 };
    const [t, deciding] = [decidingOf(false), decidingOf(true)].map((intervalOf) =>
      shareOf(`few pairs ${items}`, truth, (drawn) => {
        const interval = intervalOf(drawn);
        return interval !== null && interval.low <= 0 && interval.high >= 0;
      }),
    ) as [number, number];
    const shown = [t, deciding].map((share) => `${(100 * share).toFixed(1)} %`);
    console.log(
      `${items} items, ${100 * discordance} % differ: t covers ${shown[0]}, deciding ${shown[1]} of ${REPEATS}`,
    );
    expect(deciding).toBeGreaterThan(0.95 - band(0.05));
  }
});

function decidingOf(isWidened: boolean) {
  return (differences: number[][]) => {
    const count = (value: number) => differences.flat().filter((one) => one === value).length;
    const ties = count(0);
    const [both, neither] = [Math.floor(ties / 2), Math.ceil(ties / 2)];
    const counts = { both, onlyTreatment: count(1), onlyReference: count(-1), neither };
    return isWidened
      ? decidingInterval({ differences, counts }, ALPHA)
      : clusterInterval(pairedDifference(differences), ALPHA);
  };
}

describe("an axis at which no item differs", () => {
  test("passes with many items, and not with few", () => {
    const skill = (families: number, each: number) => outcomeOf("cron", { sides: [alike(families, each)] }).outcome;
    expect([skill(10, 4), skill(12, 40)]).toEqual(["inconclusive", "passed"]);
    const sampled = (families: number, each: number) =>
      outcomeOf("cron", { sides: [{ ...alike(families, each), counts: null }] }).outcome;
    expect([sampled(10, 4), sampled(12, 40)]).toEqual(["inconclusive", "passed"]);
    const general = (families: number, each: number) => outcomeOf("texts", texts(families, each)).outcome;
    expect([general(10, 4), general(12, 40)]).toEqual(["inconclusive", "passed"]);
    const cost = (families: number, each: number) =>
      outcomeOf("tokens-per-solved", { primary: alike(families, each) }).outcome;
    expect([cost(10, 1), cost(12, 40)]).toEqual(["inconclusive", "passed"]);
  });

  test("has an interval with width, whatever the axis", () => {
    const found = [
      outcomeOf("sql", {}),
      outcomeOf("cron", { sides: [alike(12, 10)] }),
      outcomeOf("texts", texts(12, 10)),
      outcomeOf("tokens-per-solved", {}),
    ];
    for (const { width } of found) expect(width).toBeGreaterThan(0.01);
  });

  test("that lost the same everywhere still fails", () => {
    expect(outcomeOf("texts", texts(12, 40, -0.3)).outcome).toBe("failed");
  });
});

describe("below ten families", () => {
  const spread = (families: number) =>
    Array.from({ length: families }, (_, k) => Array<number>(200).fill(0.5 + k / 100));
  const few = (families: number): Partial<Evidence> => ({
    primary: { ...alike(families, 40), skill: "sql" },
    sides: [{ ...alike(families, 200), differences: spread(families) }],
    general: [{ name: "texts", per: "token", differences: spread(families) }],
    foreign: [{ ...alike(families, 200), skill: "inspect:quiz", differences: spread(families) }],
  });

  test.each(["cron", "texts", "inspect:quiz", "tokens-per-solved"])(
    "%s is inconclusive, unless that is allowed",
    (axis) => {
      expect(outcomeOf(axis, few(9))).toMatchObject({ outcome: "inconclusive", isLetPass: false });
      expect(outcomeOf(axis, few(9), LENIENT)).toMatchObject({ outcome: "inconclusive", isLetPass: true });
      expect(outcomeOf(axis, few(10))).toMatchObject({ outcome: "passed" });
      const lower = gateSchema.parse({ primary: { minFamilies: 9 } });
      expect(outcomeOf(axis, few(9), lower)).toMatchObject({ outcome: "passed" });
    },
  );
});
