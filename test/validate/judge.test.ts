/**
 * The whole gate: each axis by its own boundary, and a seeded simulation of how often a candidate that is bad on one axis
 * and good on all others is let through. `TRACEMILL_LONG=1` runs the full counts.
 */
import { describe, expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import type { Interval } from "../../src/records/comparison.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { requiredItems } from "../../src/statistics/power.ts";
import type { Evidence } from "../../src/validate/axis.ts";
import { harmAtTexts } from "../../src/validate/harm.ts";
import { judgeAll, loadAxes } from "../../src/validate/judge.ts";
import { band, drawFamilies, REPEATS } from "../statistics/simulated-families.ts";
import { DRAWN, drawEvidence, GOOD, paired, type Truth, WITH_QUESTIONS } from "./drawn-evidence.ts";

const axes = await loadAxes();
const GATE = gateSchema.parse({});

function shareOfPasses(key: string, truth: Truth, sizes = WITH_QUESTIONS): number {
  const draws = random("simulation", key);
  let passes = 0;
  for (let k = 0; k < REPEATS; k++)
    passes += Number(judgeAll(axes, drawEvidence(truth, { sizes, draws }), GATE).hasPassed);
  return passes / REPEATS;
}

describe("the whole gate", () => {
  test("lets through what is exactly at one axis' boundary in no more than 2.5 % of all tries", () => {
    // As many items as a demo has: a base that solves 2 % of them solves none in every tenth comparison.
    const few = { ...WITH_QUESTIONS, primary: 117 };
    const atFloor = { primary: 0.25, cost: 1.25, solved: { base: 0.02, candidate: 0.15 } };
    const boundaries: [string, Partial<Truth>, typeof WITH_QUESTIONS?][] = [
      ["no better", { primary: 0 }],
      ["another skill 3 points worse", { side: -0.03 }],
      ["another skill 3 points worse, not all its families alike", { side: -0.03, sideFamilySd: 0.03 }],
      ["texts 0.02 nats a token less likely", { general: -0.02 }],
      ["answers to questions 0.05 nats less likely", { questions: -0.05 }],
      ["a solved item 1.25 times as dear", { cost: 1.25 }],
      ["a solved item 1.25 times as dear, of a base that solves next to nothing", atFloor, few],
    ];
    for (const [name, change, sizes] of boundaries) {
      const share = shareOfPasses(name, { ...GOOD, ...change }, sizes);
      console.log(`gate, ${name}: passes ${(100 * share).toFixed(1)} % of ${REPEATS}`);
      expect(share).toBeLessThan(0.025 + band(0.025));
    }
  }, 3_600_000);

  test("lets a harmless candidate through that is 15 points better at most times", () => {
    const truth = { primary: 0.15, side: 0, general: 0, questions: 0, cost: 0.9 };
    const share = shareOfPasses("harmless", truth, DRAWN);
    const asked = shareOfPasses("harmless", truth);
    const shown = `${(100 * share).toFixed(1)} %, and ${(100 * asked).toFixed(1)} % where questions are asked as well`;
    console.log(`gate, harmless and 15 points better: passes ${shown}, of ${REPEATS}`);
    expect(asked).toBeLessThan(share);
    expect(share).toBeGreaterThan(0.7);
  }, 3_600_000);
});

describe("an axis", () => {
  const draws = random("axes", "one");
  const good = drawEvidence(GOOD, { sizes: { ...DRAWN, side: 2000 }, draws });
  const judged = (change: Partial<Evidence>, settings: object = {}) =>
    judgeAll(axes, { ...good, ...change }, gateSchema.parse(settings));
  const outcomeOf = (axis: string, change: Partial<Evidence>, settings: object = {}) =>
    judged(change, settings).axes.find((one) => one.axis === axis)?.outcome;

  test("each says what it asked and found, and all of them pass for a good candidate", () => {
    const { hasPassed, axes: results, reasons } = judged({});
    expect({ hasPassed, reasons }).toEqual({ hasPassed: true, reasons: [] });
    expect(results.map(({ axis }) => axis)).toEqual([
      ...["sql", "canary", "dataset", "humaneval", "kl", "leakage", "cron", "tokens-per-solved"],
    ]);
    for (const { threshold, reason } of results) {
      expect(threshold).not.toBe("");
      expect(reason).toMatch(/\.$/);
    }
  });

  test("of what was never made live, is tainted, or has seen the test, fails", () => {
    expect(outcomeOf("canary", { isLive: false })).toBe("failed");
    expect(outcomeOf("canary", { isLive: null })).toBe("inconclusive");
    expect(outcomeOf("dataset", { taint: ["was trained on what is revoked: the run x (bad)"] })).toBe("failed");
    expect(outcomeOf("dataset", { taint: null })).toBe("inconclusive");
    expect(outcomeOf("leakage", { leaks: ["family a"] })).toBe("failed");
    expect(outcomeOf("leakage", { leaks: null })).toBe("inconclusive");
    expect(outcomeOf("leakage", { leaks: ["family a"], areFresh: true })).toBe("failed");
    for (const change of [
      { isLive: null },
      { taint: ["was trained on x"] },
      { taint: null },
      { leaks: ["a"] },
      { leaks: null },
    ]) {
      expect(judged(change).hasPassed).toBe(false);
    }
  });

  test("of leakage lets pass what has no lineage where all families are fresh, and says so", () => {
    const { hasPassed, axes: results } = judged({ leaks: null, areFresh: true });
    expect(hasPassed).toBe(true);
    expect(results.find(({ axis }) => axis === "leakage")).toMatchObject({
      ...{ outcome: "inconclusive", isLetPass: true },
      reason: "Where it comes from is not known, but all families are fresh.",
    });
  });

  test("of distance is asked where there is a budget, and let pass unmeasured only where the gate says so", () => {
    expect(outcomeOf("kl", {}, { kl: null })).toBeUndefined();
    expect(judged({ kl: null }).axes.find(({ axis }) => axis === "kl")).toMatchObject({ isLetPass: true });
    expect(judged({ kl: 1.1 }).reasons).toEqual(["kl failed: It lies 1.100 nats a token from the base."]);
    const budget = { kl: { atMost: 0.5 } };
    expect(judged({ kl: null }, budget).hasPassed).toBe(false);
    expect(outcomeOf("kl", { kl: 0.4 }, budget)).toBe("passed");
    expect(outcomeOf("kl", { kl: 0.6 }, budget)).toBe("failed");
    expect(outcomeOf("kl", { kl: null }, budget)).toBe("inconclusive");
  });

  test("of a skill at which the base is at the floor neither passes nor blocks, but one side has to say something", () => {
    const [side] = good.sides;
    const sides = [{ ...side, baseRate: 0 }] as Evidence["sides"];
    expect(outcomeOf("cron", { sides })).toBe("uninformative");
    expect(judged({ sides }).hasPassed).toBe(true);
    expect(judged({ sides, general: [] }).reasons).toEqual([expect.stringContaining("0 side axes passed; 1 must")]);
  });

  test("of harm shows the worse of the arm to beat and the base, and says which", () => {
    const [side] = good.sides as [Evidence["sides"][number]];
    const [set] = good.general as [Evidence["general"][number]];
    const lost = (differences: number[][], by: number) => differences.map((items) => items.map((one) => one - by));
    const worse = { ...side, differences: lost(side.differences, 0.1) };
    const axisOf = (axis: string, change: Partial<Evidence>) =>
      judged(change).axes.find((one) => one.axis === axis) as (typeof results)[number];
    const results = judged({}).axes;
    const sides = [{ ...side, toBase: worse }];
    expect(axisOf("cron", { sides })).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(/^Against the base: /),
    });
    expect(judged({ sides }).hasPassed).toBe(false);
    const turned = [{ ...worse, toBase: side }];
    expect(axisOf("cron", { sides: turned }).reason).toMatch(/^Against the arm to beat: /);
    const general = [{ ...set, toBase: lost(set.differences, 0.2) }];
    expect(axisOf("humaneval", { general })).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(/^Against the base: /),
    });
    // A champion that lost the skill has nothing to lose there; the base has.
    const fallen = [{ ...side, baseRate: 0, toBase: worse }];
    expect(axisOf("cron", { sides: fallen }).outcome).toBe("failed");
    // And where only the base is at the floor, the champion is what could be lost.
    const learned = [{ ...side, toBase: { ...worse, baseRate: 0 } }];
    expect(axisOf("cron", { sides: learned }).outcome).toBe("passed");
    const never = [{ ...side, baseRate: 0, toBase: { ...side, baseRate: 0 } }];
    expect(axisOf("cron", { sides: never }).outcome).toBe("uninformative");
  });

  test("of another tool's results speaks against a candidate, and is no side that has to tell something", () => {
    const [side] = good.sides as [Evidence["sides"][number]];
    const foreign = [{ ...side, skill: "inspect:quiz" }];
    expect(outcomeOf("inspect:quiz", { foreign })).toBe("passed");
    expect(judged({ foreign, sides: [], general: [] }).reasons).toEqual([
      expect.stringContaining("0 side axes passed; 1 must"),
    ]);
    const missing = [{ skill: "inspect:two", missing: "The results of the candidate hold nothing of two." }];
    expect(judged({ foreign: missing })).toMatchObject({
      hasPassed: false,
      reasons: ["inspect:two inconclusive: The results of the candidate hold nothing of two."],
    });
    expect(judged({ foreign: missing }, { skills: { margin: 0.03, allowInconclusive: true } }).hasPassed).toBe(true);
  });

  test("that cannot tell blocks unless it is allowed to, and names the items that would tell where it can", () => {
    const side = (differences: number[][]) => ({
      sides: [{ skill: "cron", ...paired(differences, 0.5), costs: null }],
    });
    const cron = (change: Partial<Evidence>) => judged(change).axes.find(({ axis }) => axis === "cron");
    // Thirty items that never differ: the families agree exactly, which so few would often do.
    const agreeing = side(Array.from({ length: 10 }, () => [0, 0, 0]));
    expect(cron(agreeing)).toMatchObject({ outcome: "inconclusive", neededItems: null });
    expect(judged(agreeing).hasPassed).toBe(false);
    expect(judged(agreeing, { skills: { margin: 0.03, allowInconclusive: true } }).hasPassed).toBe(true);
    const scene = { families: 12, items: 120, discordance: 0.3, difference: 0, familySd: 0 };
    expect(cron(side(drawFamilies(scene, draws)))?.neededItems).toBeGreaterThan(120);
  });

  test("names more items than have just not told, be its interval widened or the candidate a little worse", () => {
    /** Items in families of ten, of which the first ones of the first families came out so. */
    const items = (families: number, lost: number, won = 0) =>
      Array.from({ length: families }, (_, family) =>
        Array.from({ length: 10 }, (__, n) => (n === 0 && family < lost ? -1 : n === 1 && family < won ? 1 : 0)),
      );
    const cron = (differences: number[][]) =>
      judged({ sides: [{ skill: "cron", ...paired(differences, 0.5), costs: null }] }, { alpha: 0.025 }).axes.find(
        ({ axis }) => axis === "cron",
      );
    for (const [families, lost, won] of [
      [16, 2],
      [20, 3],
      [24, 4],
      [30, 5, 1],
    ] as const) {
      const axis = cron(items(families, lost, won));
      expect(axis?.outcome).toBe("inconclusive");
      expect(axis?.neededItems).toBeGreaterThan(families * 10);
    }
    const primary = { ...good.primary, ...paired(items(10, 0, 6), 0.1) };
    const [skill] = judged({ primary }, { alpha: 0.025 }).axes;
    expect(skill).toMatchObject({ axis: "sql", outcome: "inconclusive" });
    // The t interval alone would have been above 0; what decides holds 0, and its width says how many items it takes.
    const open = { n: 100, families: 10, difference: 0.06, interval: skill?.interval as Interval };
    expect(skill?.neededItems).toBe(requiredItems({ ...open, bound: 0, truth: 0.06 }, 0.025));
    expect(clusterInterval(pairedDifference(primary.differences), 0.025)?.low).toBeGreaterThan(0);
  });

  test("of first-try success is open below ten families, and failed where the candidate is worse", () => {
    const few = { ...good.primary, differences: good.primary.differences.slice(0, 9) };
    expect(outcomeOf("sql", { primary: few })).toBe("inconclusive");
    expect(outcomeOf("sql", { primary: few }, { primary: { minFamilies: 5 } })).toBe("passed");
    const worse = {
      ...good.primary,
      differences: good.primary.differences.map((items) => items.map((one) => 0 - one)),
    };
    expect(outcomeOf("sql", { primary: worse })).toBe("failed");
    const agreeing = { ...good.primary, differences: Array.from({ length: 10 }, (_, i) => (i < 3 ? [1] : [1])) };
    expect(outcomeOf("sql", { primary: agreeing })).toBe("passed");
  });

  test("of cost needs counted tokens and solved items", () => {
    expect(outcomeOf("tokens-per-solved", { primary: { ...good.primary, costs: null } })).toBe("inconclusive");
    expect(outcomeOf("tokens-per-solved", {}, { tokensPerSolved: { atMost: 0.1 } })).toBe("failed");
    expect(outcomeOf("tokens-per-solved", {}, { tokensPerSolved: null })).toBeUndefined();
    const neither = [[{ reference: { spent: 9, solved: 0 }, treatment: { spent: 9, solved: 0 } }]];
    expect(outcomeOf("tokens-per-solved", { primary: { ...good.primary, costs: neither } })).toBe("inconclusive");
  });

  test("of cost passes beside a base that solved nothing only where what the base may have missed cannot be cheaper", () => {
    const costAt = (spent: number, solvedOf: (item: number) => boolean, families = 13) => {
      const costs = Array.from({ length: families }, (_, family) =>
        Array.from({ length: 8 }, (_, k) => {
          return {
            reference: { spent: 10, solved: 0 },
            treatment: { spent, solved: Number(solvedOf(8 * family + k)) },
          };
        }),
      );
      const differences = costs.map((items) => items.map(({ treatment }) => treatment.solved));
      const primary = { ...good.primary, differences, costs };
      return judged({ primary }).axes.find(({ axis }) => axis === "tokens-per-solved");
    };
    const eleven = (item: number) => item < 11;
    expect(costAt(10, eleven)).toMatchObject({ outcome: "passed", estimate: null, interval: { low: 0 } });
    expect(costAt(10, eleven)?.reason).toMatch(/^The arm to beat solved none of 104; .* at most x 0\.\d\d\.$/);
    expect(costAt(1000, eleven)?.outcome).toBe("inconclusive");
    expect(costAt(10, (item) => item < 2)?.outcome).toBe("inconclusive");
    expect(costAt(10, eleven, 9)?.reason).toContain("9 families are too few");
  });
});

test("a set of questions is held to the margin of questions, and a set of texts to that of texts", () => {
  const [texts, questions] = (["token", "question"] as const).map((per) => {
    const differences = Array.from({ length: 12 }, (_, k) => [-0.03 - 0.001 * (k % 2), -0.03]);
    return harmAtTexts({ name: per, per, differences }, gateSchema.parse({}));
  });
  expect(texts).toMatchObject({ outcome: "failed", threshold: "above -0.020 nats a token" });
  expect(questions).toMatchObject({ outcome: "passed", threshold: "above -0.050 nats a question" });
});

test("a gate with an unknown key or a margin of nothing is refused", () => {
  for (const wrong of [{ skill: {} }, { skills: { margin: 0 } }, { alpha: 1 }, { primary: { minFamilies: 1 } }]) {
    expect(gateSchema.safeParse(wrong).success).toBe(false);
  }
});
