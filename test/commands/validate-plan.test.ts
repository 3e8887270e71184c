/**
 * `validate --plan` counts all that makes a gate hard to pass: how often the items were used, and every axis that is judged.
 */
import { describe, expect, test } from "vitest";
import validate from "../../src/commands/validate.ts";
import type { OpenPart } from "../../src/commands/validate-draft.ts";
import { validateInput } from "../../src/commands/validate-input.ts";
import { comparisonPlanText, planComparison } from "../../src/commands/validate-plan.ts";
import { gateSchema, QUESTION_MARGIN } from "../../src/records/gate.ts";
import { loadSkill } from "../../src/skills/load.ts";
import { type PlannedTexts, textsPower } from "../../src/statistics/gate-power.ts";
import type { Home } from "../../src/store/home.ts";
import { loadGeneralSets } from "../../src/validate/ability/general-sets.ts";
import { earlierTexts } from "../../src/validate/earlier-spread.ts";
import { decide, LOOKS, writePlan } from "../../src/validate/index.ts";
import { withHome } from "../store/sample-run.ts";
import {
  clock,
  FOUND,
  letters,
  type SampleArm,
  sampleDraft,
  writeAdapter,
  writeArm,
} from "../validate/sample-comparison.ts";

const GATE = gateSchema.parse({ primary: { minFamilies: 5 } });
/** Passes without an axis of harm. */
const NO_SIDES = { ...GATE, informativeSides: 0 };
const families = await letters("test", 10);

async function planOf(
  home: Home,
  { general = [] as string[], against = "base" as "base" | "champion", sequential = false, gate = NO_SIDES } = {},
) {
  const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
  const { skill, split, items, sampling } = sampleDraft(families, 30, adapter);
  const part: OpenPart = { part: { skill, split, items, sampling }, skill: await loadSkill("letters"), items: [] };
  const sets = await loadGeneralSets(general.map((id) => ({ id })));
  const options = validateInput.parse({ skill: "letters", against, sequential });
  return planComparison(options, { parts: [part], sets, gate, home, signal: new AbortController().signal });
}

describe("a plan", () => {
  test("is at the alpha of the candidate that it would be on these items", () =>
    withHome(async (home) => {
      const first = await planOf(home);
      expect(first).toMatchObject({ use: 1, alpha: GATE.alpha / 2 });
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      await writePlan(home, sampleDraft(families, 3, adapter), clock);
      const second = await planOf(home);
      expect(second).toMatchObject({ use: 2, alpha: GATE.alpha / 6 });
      expect(comparisonPlanText(second)).toContain("alpha 0.00833 for candidate 2 on them.");
      for (const [index, row] of second.rows.entries()) {
        if (row.discordant < second.difference) continue;
        expect(row.neededItems).toBeGreaterThan(first.rows[index]?.neededItems as number);
        expect(row.primary).toBeLessThan(first.rows[index]?.primary as number);
      }
    }));

  test("counts the general texts in what passes the gate and in the items that it needs", () =>
    withHome(async (home) => {
      const [without, plan] = [await planOf(home), await planOf(home, { general: ["multiple-choice", "neutral"] })];
      expect(plan.general).toMatchObject([{ set: "multiple-choice", texts: 168, groups: 14, source: "assumed" }]);
      const passes = plan.general[0]?.passes as number;
      for (const [index, row] of plan.rows.entries()) {
        if (row.discordant < plan.difference) continue;
        expect(row.whole).toBeCloseTo((without.rows[index]?.whole as number) * passes, 10);
        expect(row.neededItems).toBeGreaterThanOrEqual(without.rows[index]?.neededItems as number);
      }
      expect(comparisonPlanText(plan)).toContain("General texts: 168 in 14 groups of multiple-choice");
    }));

  test("counts each axis of harm once more where the champion is to be beaten, as the base is a measure too", () =>
    withHome(async (home) => {
      const general = ["multiple-choice"];
      const plan = await planOf(home, { general, against: "champion" });
      const passes = plan.general[0]?.passes as number;
      for (const { primary, whole } of plan.rows.slice(1)) {
        expect(whole).toBeCloseTo((primary as number) * passes ** 2, 10);
      }
    }));

  test("is at a look's share of alpha for the skill where the comparison may end early, and says so", () =>
    withHome(async (home) => {
      const general = ["multiple-choice"];
      const [whole, early] = [await planOf(home, { general }), await planOf(home, { general, sequential: true })];
      expect([whole.lookAlpha, early.lookAlpha]).toEqual([null, GATE.alpha / 2 / LOOKS]);
      expect(early.general).toEqual(whole.general);
      for (const [index, row] of early.rows.entries()) {
        const other = whole.rows[index] as (typeof whole.rows)[number];
        if (row.detectable !== null) expect(row.detectable).toBeGreaterThan(other.detectable as number);
        if (row.primary === null) continue;
        expect(row.primary).toBeLessThan(other.primary as number);
        expect(row.whole).toBeLessThan(other.whole as number);
        expect(row.neededItems).toBeGreaterThan(other.neededItems as number);
      }
      expect(comparisonPlanText(early)).toContain("so the skill is judged at alpha 0.00625 and bets have to agree");
      expect(comparisonPlanText(whole)).not.toContain("It may end");
    }));

  test("says that a gate cannot pass where fewer side axes are asked than must pass", () =>
    withHome(async (home) => {
      const plan = await planOf(home, { general: ["neutral"], gate: GATE });
      expect(plan.missingSides).toBe(1);
      for (const row of plan.rows.slice(1)) {
        expect(row).toMatchObject({ primary: expect.any(Number), whole: 0, neededItems: null });
      }
      expect(comparisonPlanText(plan)).toContain("No candidate can pass: 0 side axes are asked and 1 must pass");
      const asked = await planOf(home, { general: ["multiple-choice"], gate: GATE });
      expect(asked.missingSides).toBeNull();
      expect(comparisonPlanText(asked)).not.toContain("No candidate can pass");
    }));

  test("is not made of options that the comparison itself would refuse", () =>
    withHome(async (home) => {
      const { stdout, stderr } = process;
      const context = { home, clock, stdout, stderr, isJson: true, signal: new AbortController().signal };
      for (const [options, option] of [
        [{ samples: 3 }, "--temperature"],
        [{ against: "candidate" }, "--against"],
        [{ sequential: true, attempts: 2 }, "--sequential"],
        [{ sequential: true, arms: ["base", "few-shot"] }, "--arms"],
        [{ aa: true }, "--plan"],
      ] as const) {
        const asked = validateInput.parse({ skill: "letters", plan: true, general: [], ...options });
        await expect(validate.run(asked, context)).rejects.toMatchObject({
          code: "BAD_ARGUMENT",
          message: `${option} does not fit.`,
        });
      }
    }));

  test("has a dash where arms that differ on so few items cannot be so far apart", () =>
    withHome(async (home) => {
      const plan = await planOf(home);
      const [impossible, possible] = plan.rows;
      expect(impossible).toMatchObject({ discordant: 0.05, primary: null, whole: null, neededItems: null });
      expect(possible).toMatchObject({ discordant: 0.1, primary: expect.any(Number) });
      expect(comparisonPlanText(plan)).toMatch(/\n5\.0 % .* - +- +-\n10\.0 %/);
    }));

  test("takes how often arms differ, and what families cost, from the last comparison on the validation split", () =>
    withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const decidedOn = async (split: "test" | "validation", sequential: boolean) => {
        const draft = { ...sampleDraft(await letters(split, 10), 6, adapter), split, sequential };
        const planned = await writePlan(home, draft, clock);
        const named = planned.items.map(({ family }) => family);
        // Every other family wins four of its six items, the rest lose two.
        const wins = ({ family }: { family: string }) => [...new Set(named)].indexOf(family) % 2 === 0;
        const base: SampleArm["outcome"] = (item) => ({ passed: !wins(item) && item.n < 2 });
        const candidate: SampleArm["outcome"] = (item) => ({ passed: wins(item) && item.n < 4 });
        const number = split === "test" ? 1 : sequential ? 3 : 5;
        const runs = [
          await writeArm(home, planned, { arm: "base", number, outcome: base }),
          await writeArm(home, planned, { arm: "candidate", number: number + 1, outcome: candidate }),
        ];
        await decide(home, planned.comparisonHash, { runs, found: FOUND, clock });
      };
      await decidedOn("test", false);
      const assumed = await planOf(home);
      expect(assumed.source).toBe("assumed, as no comparison on the validation split was decided yet");
      expect(assumed.rows.length).toBeGreaterThan(1);
      for (const sequential of [false, true]) {
        await decidedOn("validation", sequential);
        const plan = await planOf(home);
        expect(plan.source).toMatch(/^comparison [0-9a-f]{12} on the validation split$/);
        // 20 won and 10 lost of 60. Each family's sum lies 3 off the mean of 1, so the mean spreads by 3 / 60 times the root of 10.
        expect(plan.rows.map(({ discordant }) => discordant)).toEqual([0.5]);
        const correlation = ((10 * (3 / 60) ** 2 * (10 / 9)) / ((0.5 - (1 / 6) ** 2) / 60) - 1) / 5;
        expect(plan.designEffect).toBeCloseTo(1 + 29 * correlation, 8);
      }
    }));

  test("takes the spread of general texts from the last comparison that was judged by them", () =>
    withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const planned = await writePlan(home, sampleDraft(families, 3, adapter), clock);
      const outcome = ({ n }: { n: number }) => ({ passed: n === 0 });
      const runs = [
        await writeArm(home, planned, { arm: "base", number: 1, outcome }),
        await writeArm(home, planned, { arm: "candidate", number: 2, outcome }),
      ];
      // 14 groups of 12 texts, half of the groups 0.1 above the rest: a standard error of 0.05 / sqrt(13).
      const differences = Array.from({ length: 14 }, (_, k) => Array<number>(12).fill(k % 2 === 0 ? 0.1 : 0));
      const general = [{ name: "multiple-choice", per: "question" as const, differences }];
      await decide(home, planned.comparisonHash, { runs, found: { ...FOUND, general }, clock });
      const [set] = (await planOf(home, { general: ["multiple-choice"] })).general;
      expect(set?.source).toMatch(/^comparison /);
      expect(set?.sd).toBeCloseTo(0.05 * Math.sqrt(168 / 13), 6);
      const other = { set: "multiple-choice", texts: 168, groups: 14 };
      expect(await earlierTexts(home, { ...other, per: "token" })).toBeNull();
    }));

  test("names the texts at which a harmless candidate passes their margin in four of five cases", () =>
    withHome(async (home) => {
      const plan = await planOf(home, { general: ["multiple-choice"] });
      const [set] = plan.general;
      expect(set).toMatchObject({ per: "question", margin: QUESTION_MARGIN });
      const needed = set?.neededTexts as number;
      const grown = { ...set, texts: needed, groups: Math.round((needed / 168) * 14) } as PlannedTexts;
      expect(textsPower(grown, { alpha: plan.alpha, minFamilies: 5 })).toBeCloseTo(0.8, 1);
      expect(comparisonPlanText(plan)).toContain(`the margin of ${QUESTION_MARGIN} in `);
      expect(comparisonPlanText(plan)).toContain(`, and in 80 % with ${needed}.`);
    }));
});
