/** What a comparison of two skills tells people: of each skill, of each family, and of both skills together. */
import { expect, test } from "vitest";
import { ZERO_HASH } from "../../src/foundation/hashing.ts";
import type { Arm, Decision, Plan } from "../../src/records/comparison.ts";
import { itemId, type RunId } from "../../src/records/ids.ts";
import { armFigures } from "../../src/validate/arm-figures.ts";
import type { Sample } from "../../src/validate/arm-outcomes.ts";
import { renderDecision, writePlan } from "../../src/validate/index.ts";
import type { JudgedPart, WholeArm } from "../../src/validate/judged-part.ts";
import { pairFigures, skillEvidence } from "../../src/validate/pair-figures.ts";
import { renderReport } from "../../src/validate/report.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, letters, sampleDraft, writeAdapter } from "./sample-comparison.ts";

const RUN = "20261102-090001-0000" as RunId;

/** Solved at the attempt of that number; its tokens and time are ten and a hundred for each attempt. */
function sampleOf(attempts: number, solved = true): Sample {
  return {
    ...{ passed: solved && attempts === 1, solved, attempts, validCalls: attempts, noopPasses: 0, suspect: 0 },
    ...{ completionTokens: 10 * attempts, totalTokens: 40 * attempts, wallMs: 1500 * attempts },
    ...{ response: "text", failureMode: null },
  };
}

function partOf(plan: Plan, skill: string, samples: Record<string, Sample[]>): JudgedPart {
  const arms = plan.arms.map((arm: Arm): WholeArm => {
    const outcomes = (samples[arm.arm] ?? []).map((sample, n) => ({
      ...{ item: itemId(skill, `${n}`), family: `family ${n % 2}`, kind: null, task: "a task", samples: [sample] },
    }));
    return { arm, runs: [{ run: RUN, head: ZERO_HASH }], outcomes, runsOfArm: 1 };
  });
  const { sides: _, ...part } = plan;
  return { part: { ...part, skill: { ...plan.skill, id: skill } }, arms, dropped: [], stop: null };
}

function decisionOf(plan: Plan, parts: readonly JudgedPart[]): Decision {
  const [first, side] = parts.map(({ part, arms, dropped }) => ({
    ...{ skill: part.skill.id, dropped, arms: arms.map((arm) => armFigures(arm, plan.alpha)) },
    pairs: pairFigures(plan, arms).map((pair) => ({ ...pair, verdict: "inconclusive" as const })),
  }));
  const { skill: __, ...primary } = first as NonNullable<typeof first>;
  return {
    ...primary,
    ...{ comparisonHash: plan.comparisonHash, adapterHash: null, alpha: plan.alpha, verdict: "inconclusive" },
    ...{ hasPassed: false, axes: [], reasons: [], shown: [], sides: [side as NonNullable<typeof side>] },
    decidedAt: "2026-11-02T12:00:00.000Z",
  };
}

test("what attempts took is told of each arm, each family, the side's pair and all skills together", async () => {
  await withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const plan = await writePlan(home, sampleDraft(await letters("test", 2), 2, adapter), clock);
    const parts = [
      partOf(plan, "letters", {
        base: [sampleOf(1), sampleOf(3), sampleOf(3, false), sampleOf(1)],
        candidate: [sampleOf(1), sampleOf(1), sampleOf(1), sampleOf(2)],
      }),
      partOf(plan, "cron", {
        base: [sampleOf(2), sampleOf(2)],
        candidate: [sampleOf(1), sampleOf(3, false)],
      }),
    ];
    const decision = decisionOf(plan, parts);
    const report = renderReport(plan, decision, parts);
    // Solved after 1, 3 and 1 attempts; 8 attempts in all, of which each solved item took 80 / 3 tokens.
    expect(report).toContain("| base | 75.0 % | 1.67 | 10.0 | 40.0 | 26.7 | 1.50 | 100.0 % | 0.0 % | 0.0 % |");
    expect(report).toContain("| family 0 | base | 50.0 % | 1.00 | 10.0 | 40.0 | 40.0 | 1.50 |");
    expect(report).toContain("## cron: candidate against base\n");
    const overall = report.slice(report.indexOf("## All skills together"));
    expect(overall).toContain("| base | 2 of 6 | 33.3 % | 83.3 % | 1.80 | 10.0 | 40.0 | 24.0 | 1.50 |");
    expect(overall).toContain("| candidate | 4 of 6 | 66.7 % | 83.3 % | 1.20 | 10.0 | 40.0 | 18.0 | 1.50 |");
    const text = renderDecision(decision);
    expect(text).toMatch(/\nbase +75\.0 % +1\.67 +10\.0 +40\.0 +26\.7 +1\.50\n/);
    expect(text.slice(text.indexOf("\ncron\n"))).toContain("candidate against base: 2 items of 2 families");
  });
});

test("what an item cost is that of one run, however many samples there are", async () => {
  await withHome(async (home) => {
    const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const plan = await writePlan(home, sampleDraft(await letters("test", 2), 2, adapter), clock);
    const { arms } = partOf(plan, "letters", { base: [sampleOf(1, false)], candidate: [sampleOf(1)] });
    const twice = arms.map((arm) => ({
      ...arm,
      outcomes: arm.outcomes.map((outcome) => ({ ...outcome, samples: [...outcome.samples, sampleOf(3)] })),
    }));
    const { costs } = skillEvidence("letters", { samples: 2 }, { arms: twice, pair: ["base", "candidate"] });
    expect(costs).toEqual([[{ reference: { spent: 20, solved: 0.5 }, treatment: { spent: 20, solved: 1 } }]]);
  });
});
