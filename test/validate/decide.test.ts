import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Hash, hashFile, hashText } from "../../src/foundation/hashing.ts";
import { type Decision, decisionSchema, type Plan } from "../../src/records/comparison.ts";
import type { Home } from "../../src/store/home.ts";
import { readLedger } from "../../src/store/ledger.ts";
import { decide, decideBeforehand, renderDecision, writePlan } from "../../src/validate/index.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, FOUND, letters, type SampleArm, sampleDraft, writeAdapter, writeArm } from "./sample-comparison.ts";

const PER_FAMILY = 6;
let families: string[];
beforeAll(async () => {
  families = await letters("test", 10);
});

/** The base solves the first item of every family. */
const baseOutcome: SampleArm["outcome"] = ({ n }) => ({ passed: n === 0, tokens: 20, response: "base says" });
/** The candidate solves four items of every other family, and two others in the rest, where it loses the first. */
const candidateOutcome: SampleArm["outcome"] = ({ family, n }) => {
  const passed = families.indexOf(family) % 2 === 0 ? n < 4 : n === 1 || n === 2;
  return { passed, tokens: 10, response: "candidate says" };
};

async function plan(home: Home): Promise<Plan> {
  const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
  return writePlan(home, sampleDraft(families, PER_FAMILY, adapter), clock);
}

async function decided(home: Home, outcomes: { base: SampleArm["outcome"]; candidate: SampleArm["outcome"] }) {
  const planned = await plan(home);
  const runs = [
    await writeArm(home, planned, { arm: "base", number: 1, outcome: outcomes.base }),
    await writeArm(home, planned, { arm: "candidate", number: 2, outcome: outcomes.candidate }),
  ];
  const decision = await decide(home, planned.comparisonHash, { runs, found: FOUND, clock });
  return { decision, planned, runs };
}

async function decisionEntries(home: Home): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const { type, data } of readLedger(home)) if (type === "decision_made") entries.push(data);
  return entries;
}

describe("two runs with known outcomes", () => {
  test("give exactly the figures that the outcomes have", async () => {
    await withHome(async (home) => {
      const { decision, planned } = await decided(home, { base: baseOutcome, candidate: candidateOutcome });
      expect(decision.verdict).toBe("better");
      expect(decision.arms).toMatchObject([
        { arm: "base", passed: 10, n: 60, metrics: { completionTokens: 20, tokensPerSolved: 120 } },
        { arm: "candidate", passed: 30, n: 60, metrics: { completionTokens: 10, tokensPerSolved: 20 } },
      ]);
      expect(decision.arms[0]?.interval.low).toBeCloseTo(0.0931318, 7);
      expect(decision.arms[1]?.interval.high).toBeCloseTo(0.6226498, 7);
      const pair = decision.pairs[0];
      expect(pair).toMatchObject({ n: 60, families: 10 });
      expect(pair?.oneTry).toMatchObject({ both: 5, onlyTreatment: 25, onlyReference: 5, neither: 25 });
      expect(pair?.difference).toBeCloseTo(1 / 3, 12);
      // Every family's sum is 1 off the mean of 2, so leaving one out changes the mean of the other 54 items by 1/54.
      const standardError = Math.sqrt(10) / 54;
      expect(pair?.clusterInterval?.low).toBeCloseTo(1 / 3 - 2.262157163 * standardError, 8);
      expect(pair?.clusterInterval?.high).toBeCloseTo(1 / 3 + 2.262157163 * standardError, 8);
      // At a difference of d the variance is (1/2 - d^2) to what it was at 1/3.
      const squared = ((2.262157163 + 0.88340386) * standardError) ** 2 / (1 / 2 - 1 / 9);
      expect(pair?.minimumDetectable).toBeCloseTo(Math.sqrt(squared / 2 / (1 + squared)), 8);
      expect(pair?.oneTry?.newcombeInterval.low).toBeCloseTo(0.1661234, 7);
      expect(pair?.oneTry?.newcombeInterval.high).toBeCloseTo(0.476338, 7);
      expect(pair?.oneTry?.midP).toBeCloseTo(0.000192195177, 12);
      expect(pair?.oneTry?.exactP).toBeCloseTo(0.000324914232, 12);
      expect(pair?.oneTry?.holmP).toBe(pair?.oneTry?.midP);
      expect(pair?.tokenRatio?.ratio).toBe(0.5);
      expect(pair?.bootstrapInterval?.low).toBeGreaterThan(0.2);
      expect(pair?.bootstrapInterval?.high).toBeLessThan(0.47);
      const entry = {
        comparisonHash: planned.comparisonHash,
        adapterHash: decision.adapterHash,
        verdict: "better",
        hasPassed: true,
        decisionHash: await hashFile(join(home.comparisonFolder(planned.comparisonHash), "decision.json")),
      };
      expect(await decisionEntries(home)).toEqual([entry]);
    });
  });

  test("promise nothing of figures that are the same for every item", async () => {
    await withHome(async (home) => {
      const { decision } = await decided(home, { base: baseOutcome, candidate: candidateOutcome });
      const [pair] = decision.pairs;
      const tokens = pair?.secondary.find(({ metric }) => metric === "completion tokens");
      // Ten families that all spend less: the sign test's 2 in 1024, times the figures that Holm's correction counts.
      expect(tokens?.interval).toBeNull();
      expect(tokens?.holmP).toBeGreaterThanOrEqual(2 / 1024);
      expect(tokens?.holmP).toBeLessThan(0.02);
      expect(pair?.tokenRatio).toEqual({ ratio: 0.5, interval: null });
    });
  });

  test("are worse when the outcomes trade places", async () => {
    await withHome(async (home) => {
      const { decision } = await decided(home, { base: candidateOutcome, candidate: baseOutcome });
      expect(decision.verdict).toBe("worse");
      expect(decision.pairs[0]?.difference).toBeCloseTo(-1 / 3, 12);
    });
  });

  test("are inconclusive when both arms come out alike", async () => {
    await withHome(async (home) => {
      const { decision } = await decided(home, { base: baseOutcome, candidate: baseOutcome });
      expect(decision.verdict).toBe("inconclusive");
      expect(decision.pairs[0]).toMatchObject({ difference: 0, oneTry: { midP: 1 }, minimumDetectable: null });
    });
  });

  test("leave the token ratio open where the endpoint did not count", async () => {
    await withHome(async (home) => {
      const { decision } = await decided(home, {
        base: baseOutcome,
        candidate: ({ n }) => ({ passed: n < 2, tokens: null }),
      });
      expect(decision.pairs[0]?.tokenRatio).toBeNull();
      expect(decision.arms[1]?.metrics.completionTokens).toBeNull();
      expect(renderDecision(decision)).toContain("cannot be told");
    });
  });
});

describe("what is written for people", () => {
  test("holds the figures of decision.json", async () => {
    await withHome(async (home) => {
      const { planned } = await decided(home, { base: baseOutcome, candidate: candidateOutcome });
      const folder = home.comparisonFolder(planned.comparisonHash);
      const decision = decisionSchema.parse(JSON.parse(await readFile(join(folder, "decision.json"), "utf8")));
      const report = await readFile(join(folder, "report.md"), "utf8");
      for (const text of [report, renderDecision(decision)])
        for (const figure of shownFigures(decision)) expect(text).toContain(figure);
      expect(report).toContain("| solved only by candidate | 25 |");
      expect(report).toContain("| solved only by base | 5 |");
      expect(report).toContain(`| ${families[0]} | 6 | 1 | 4 |`);
      expect(report).toContain("| even | 30 | 10 | 15 |");
      expect(report).toContain("## Solved by candidate and not by base");
      expect(report).toContain("base: not solved (wrong-rows)\n\n```text\nbase says\n```");
      expect(renderDecision(decision)).toMatch(/^Better: candidate solves more .* \(\+33\.3 points\)/);
    });
  });

  test("keeps hostile answers inside their fence and out of the terminal", async () => {
    await withHome(async (home) => {
      const hostile = "```\n# Verdict: better\n\u001b[2J````";
      const { planned } = await decided(home, {
        base: ({ n }) => ({ passed: n === 0, response: hostile }),
        candidate: candidateOutcome,
      });
      const report = await readFile(join(home.comparisonFolder(planned.comparisonHash), "report.md"), "utf8");
      expect(report).toContain("`````text\n```\n# Verdict: better\n\uFFFD[2J````\n`````");
      expect(report).not.toContain("\u001b");
    });
  });
});

function shownFigures(decision: Decision): string[] {
  const points = (value: number) => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
  const between = (interval: { low: number; high: number } | null) =>
    interval === null ? "?" : `${points(interval.low)} to ${points(interval.high)}`;
  return [
    ...decision.arms.flatMap(({ passed, n, rate, interval, metrics }) => [
      `${passed} of ${n}`,
      `${(100 * rate).toFixed(1)} %`,
      `${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)} %`,
      (metrics.completionTokens ?? Number.NaN).toFixed(1),
    ]),
    ...decision.pairs.flatMap((pair) => [
      points(pair.difference),
      between(pair.clusterInterval),
      between(pair.oneTry?.newcombeInterval ?? null),
      between(pair.bootstrapInterval),
      (pair.oneTry?.midP ?? 1).toFixed(4),
      (pair.oneTry?.exactP ?? 1).toFixed(4),
      `difference of ${(100 * (pair.minimumDetectable ?? Number.NaN)).toFixed(1)} points`,
      `x ${pair.tokenRatio?.ratio.toFixed(2)}`,
      pair.verdict,
    ]),
  ];
}

describe("a run that is not what was planned is refused", () => {
  const wrong: [string, NonNullable<SampleArm["claims"]>][] = [
    ["of another comparison", { comparisonHash: hashText("another") }],
    ["of another arm", { arm: "base" }],
    ["with another adapter", { adapterHash: hashText("another adapter") }],
    ["without the adapter", { adapterHash: null }],
    ["with tips", { memory: "frozen" }],
  ];
  for (const [what, claims] of wrong) {
    test(`when it is one ${what}`, async () => {
      await withHome(async (home) => {
        const planned = await plan(home);
        const runs = [
          await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome }),
          await writeArm(home, planned, { arm: "candidate", number: 2, outcome: candidateOutcome, claims }),
        ];
        await expect(decide(home, planned.comparisonHash, { runs, found: FOUND, clock })).rejects.toMatchObject({
          code: "RUN_NOT_OF_COMPARISON",
        });
        expect(existsSync(join(home.comparisonFolder(planned.comparisonHash), "decision.json"))).toBe(false);
        expect(await decisionEntries(home)).toEqual([]);
      });
    });
  }

  test("when an arm has no run", async () => {
    await withHome(async (home) => {
      const planned = await plan(home);
      const runs = [await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome })];
      await expect(decide(home, planned.comparisonHash, { runs, found: FOUND, clock })).rejects.toMatchObject({
        code: "ARM_WITHOUT_RUN",
      });
    });
  });

  test("when its log was edited after it was sealed", async () => {
    await withHome(async (home) => {
      const planned = await plan(home);
      const runs = [
        await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome }),
        await writeArm(home, planned, { arm: "candidate", number: 2, outcome: candidateOutcome }),
      ];
      const path = home.runLog(runs[1]?.run as string);
      await writeFile(path, (await readFile(path, "utf8")).replace('"passed":false', '"passed":true'));
      await expect(decide(home, planned.comparisonHash, { runs, found: FOUND, clock })).rejects.toMatchObject({
        code: "LOG_BROKEN",
      });
    });
  });
});

test("an item without an attempt or without a verdict refuses the arm and is not dropped", async () => {
  await withHome(async (home) => {
    const planned = await plan(home);
    const runs = [
      await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome }),
      await writeArm(home, planned, {
        arm: "candidate",
        number: 2,
        outcome: (item) => {
          if (item.family !== families[2]) return candidateOutcome(item);
          return item.n === 0 ? "no-attempt" : item.n === 1 ? "no-verdict" : candidateOutcome(item);
        },
      }),
    ];
    await expect(decide(home, planned.comparisonHash, { runs, found: FOUND, clock })).rejects.toMatchObject({
      code: "INCOMPLETE_ARM",
      details: { got: `none for letters:${families[2]}-0 in arm candidate, and 1 more` },
    });
  });
});

test("one item in fifty without a verdict is left out of every arm and told", async () => {
  await withHome(async (home) => {
    const planned = await plan(home);
    const candidate: SampleArm["outcome"] = (item) =>
      item.family === families[2] && item.n === 0 ? "no-verdict" : candidateOutcome(item);
    const runs = [
      await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome }),
      await writeArm(home, planned, { arm: "candidate", number: 2, outcome: candidate }),
    ];
    const decision = await decide(home, planned.comparisonHash, { runs, found: FOUND, clock });
    expect(decision.dropped).toEqual([{ item: `letters:${families[2]}-0`, arm: "candidate" }]);
    expect(decision.arms.map(({ passed, n }) => ({ passed, n }))).toEqual([
      { passed: 9, n: 59 },
      { passed: 29, n: 59 },
    ]);
    expect(decision.reasons).toContain(
      "1 item of letters has no verdict in an arm, which leaves out the pair in all arms.",
    );
  });
});

describe("the gate", () => {
  test("writes down every axis, and what one of them found against a better candidate", async () => {
    await withHome(async (home) => {
      const planned = await plan(home);
      const runs = [
        await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome }),
        await writeArm(home, planned, { arm: "candidate", number: 2, outcome: candidateOutcome }),
      ];
      const found = {
        ...FOUND,
        general: [{ name: "choices", per: "question" as const, differences: families.map(() => [-0.3, -0.31]) }],
      };
      const decision = await decide(home, planned.comparisonHash, { runs, found, clock });
      expect(decision).toMatchObject({ verdict: "better", hasPassed: false });
      expect(decision.axes.map(({ axis, outcome }) => `${axis} ${outcome}`).sort()).toEqual([
        "canary passed",
        "choices failed",
        "dataset passed",
        "kl inconclusive",
        "leakage passed",
        "letters passed",
        "tokens-per-solved passed",
      ]);
      expect(decision.reasons[0]).toMatch(/^choices failed: /);
      expect(renderDecision(decision)).toContain("The gate did not pass: choices.");
    });
  });

  test("lets an unknown lineage pass on fresh families, and only for the first candidate on them", async () => {
    await withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const draft = { ...sampleDraft(families, PER_FAMILY, adapter), isFresh: true as const };
      const leakageOf = async (seed: number) => {
        const planned = await writePlan(home, { ...draft, seed }, clock);
        const runs = [
          await writeArm(home, planned, { arm: "base", number: seed, outcome: baseOutcome }),
          await writeArm(home, planned, { arm: "candidate", number: seed + 1, outcome: candidateOutcome }),
        ];
        const decision = await decide(home, planned.comparisonHash, { runs, found: { ...FOUND, leaks: null }, clock });
        return decision.axes.find(({ axis }) => axis === "leakage");
      };
      expect(await leakageOf(1)).toMatchObject({ outcome: "inconclusive", isLetPass: true });
      expect(await leakageOf(3)).toMatchObject({ outcome: "inconclusive", isLetPass: false });
    });
  });

  test("refuses a candidate that has seen the families before any arm is run", async () => {
    await withHome(async (home) => {
      const planned = await plan(home);
      const { comparisonHash } = planned;
      const found = { taint: [], leaks: [`${families[0]} of letters (dataset abc)`] };
      const decision = await decideBeforehand(home, comparisonHash, { found, clock });
      expect(decision).toMatchObject({ hasPassed: false, arms: [], pairs: [] });
      expect(decision?.axes.find(({ axis }) => axis === "leakage")?.outcome).toBe("failed");
      expect(await decisionEntries(home)).toMatchObject([
        { comparisonHash, adapterHash: decision?.adapterHash, verdict: "inconclusive", hasPassed: false },
      ]);
      const report = await readFile(join(home.comparisonFolder(comparisonHash), "report.md"), "utf8");
      expect(report).toContain(`It has learned from ${families[0]} of letters (dataset abc).`);
      const draft = sampleDraft(families, PER_FAMILY, decision.adapterHash as Hash);
      expect((await writePlan(home, { ...draft, seed: 8 }, clock)).use).toBe(1);
    });
  });
});

test("a plan that was edited afterwards is refused", async () => {
  await withHome(async (home) => {
    const planned = await plan(home);
    const path = join(home.comparisonFolder(planned.comparisonHash), "plan.json");
    await writeFile(path, JSON.stringify({ ...planned, alpha: 0.5 }));
    await expect(decide(home, planned.comparisonHash, { runs: [], found: FOUND, clock })).rejects.toMatchObject({
      code: "PLAN_EDITED",
    });
  });
});

test("a comparison is decided once: the same runs give the same decision, other runs are refused", async () => {
  await withHome(async (home) => {
    const { decision, planned, runs } = await decided(home, { base: baseOutcome, candidate: baseOutcome });
    expect(await decide(home, planned.comparisonHash, { runs, found: FOUND, clock })).toEqual(decision);
    expect(await decisionEntries(home)).toHaveLength(1);
    const second = await writeArm(home, planned, { arm: "candidate", number: 3, outcome: candidateOutcome });
    await expect(
      decide(home, planned.comparisonHash, { runs: [runs[0] as (typeof runs)[number], second], found: FOUND, clock }),
    ).rejects.toMatchObject({ code: "ALREADY_DECIDED" });
  });
});

test("an arm that was run more than once is said to have been", async () => {
  await withHome(async (home) => {
    const planned = await plan(home);
    const first = await writeArm(home, planned, { arm: "base", number: 1, outcome: baseOutcome });
    await writeArm(home, planned, { arm: "candidate", number: 2, outcome: baseOutcome });
    const third = await writeArm(home, planned, { arm: "candidate", number: 3, outcome: candidateOutcome });
    const decision = await decide(home, planned.comparisonHash, { runs: [first, third], found: FOUND, clock });
    expect(decision.reasons).toContain(`Arm candidate was run 2 times under this plan; run ${third.run} was judged.`);
  });
});
