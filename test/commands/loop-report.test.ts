/**
 * What a loop says of itself: whose rates stand beside the difference, who collected, and whose answers the rows are.
 */
import { expect, test } from "vitest";
import { loopReport, loopSummary } from "../../src/commands/loop-report.ts";
import { FIRST_ROUND, type LoopSettings, loopSettings, type Round } from "../../src/commands/loop-settings.ts";
import { type Hash, shortHash } from "../../src/foundation/hashing.ts";
import type { LoopResult } from "../../src/loop.ts";
import type { Decision, Plan } from "../../src/records/comparison.ts";
import type { Home } from "../../src/store/home.ts";
import { decide, decideBeforehand, writePlan } from "../../src/validate/index.ts";
import { sampleRunId, withHome } from "../store/sample-run.ts";
import { clock, FOUND, letters, sampleDraft, writeAdapter, writeArm } from "../validate/sample-comparison.ts";

const families = await letters("test", 10);

interface Judged {
  home: Home;
  champion: Hash;
  candidate: Hash;
  plan: Plan;
}

/** Runs `use` with a plan of champion against candidate beside the base. */
function withPlan(use: (judged: Judged) => Promise<void>): Promise<void> {
  return withHome(async (home) => {
    const champion = await writeAdapter(home, { trainedOn: await letters("train", 4) });
    const candidate = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const draft = sampleDraft(families, 10, candidate);
    const [base] = draft.arms;
    if (base === undefined) throw new Error("a sample draft without arms");
    const plan = await writePlan(
      home,
      {
        ...draft,
        arms: [...draft.arms, { ...base, arm: "champion", adapterHash: champion, model: "letters-v0" }],
        pairs: [
          ["champion", "candidate"],
          ["base", "candidate"],
        ],
      },
      clock,
    );
    await use({ home, champion, candidate, plan });
  });
}

/** Of ten items a family the base solves one, the champion five and the candidate six. */
async function decided({ home, plan }: Judged): Promise<Decision> {
  const from = (first: number) => (item: { n: number }) => ({ passed: item.n >= first });
  const runs = [
    await writeArm(home, plan, { arm: "base", number: 1, outcome: from(9) }),
    await writeArm(home, plan, { arm: "candidate", number: 2, outcome: from(4) }),
    await writeArm(home, plan, { arm: "champion", number: 3, outcome: from(5) }),
  ];
  return decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
}

function resultOf({ candidate }: Judged, decision: Decision, round: Round): LoopResult {
  const work = { skill: "letters", learns: ["letters"], base: "tiny", seed: 1, target: "llamacpp", sides: [] };
  const server = { serverArgs: "", startTimeout: "10m" };
  const settings: LoopSettings = loopSettings("demo", { ...work, ...server, continues: false, round } as never);
  const stage = { result: null, startedAt: "2026-11-02T08:00:00.000Z", durationMs: 1000 };
  return {
    ...{ settings, decision, adapterHash: candidate, datasetHash: "d".repeat(64) },
    runs: { train: [], validation: [] },
    stages: Object.fromEntries(["base", "collect", "export", "train", "validate"].map((name) => [name, stage])),
  };
}

test("of a round names the champion: its rate, its answers, and that it collected", () =>
  withPlan(async (judged) => {
    const { home, champion } = judged;
    const round = { number: 2, champion, replay: [sampleRunId(9)], watched: [], isFresh: true };
    const report = await loopReport(resultOf(judged, await decided(judged), round), home);
    expect(report).toMatch(/^# Loop: .*, round 2$/m);
    expect(report).toMatch(/^\*\*\w+: .* families, champion 50\.0 % -> candidate 60\.0 % \(\+10\.0 points, /m);
    expect(report).toContain("| collect | let the champion work on the train families, tips growing |");
    expect(report).toContain("those of the rounds before too,");
    expect(report).toContain("| canary, then base, candidate and champion on the fresh test families |");
    expect(report).toContain("an answer of the base itself, or of the champion of its round, that the verifier passed");
    expect(report.match(/^Champion \((passes|fails)\):$/gm)).toHaveLength(5);
    expect(report).not.toMatch(/^Base \(/m);
    expect(report).toContain(`- champion: \`${home.adapterFolder(champion)}\``);
  }));

test("of a single loop names the base, and says where nothing was compared", () =>
  withPlan(async (judged) => {
    const { home, plan } = judged;
    const found = { taint: [], leaks: ["a of letters"] };
    const decision = await decideBeforehand(home, plan.comparisonHash, { found, clock });
    const report = await loopReport(resultOf(judged, decision, FIRST_ROUND), home);
    expect(report).toMatch(/^\*\*\w+: nothing was compared; the gate did not pass\*\*$/m);
    expect(report).toContain("| collect | let the base work on the train families, tips growing |");
    expect(report).toContain("| validate | what was known beforehand decided, without an attempt |");
    expect(report).toContain("an answer of the base itself that the verifier passed");
    expect(report).not.toContain("champion");
  }));

test("advises to ask both models what an item that was judged asked, where the skill takes free questions", () =>
  withPlan(async (judged) => {
    const { home, candidate } = judged;
    const result = resultOf(judged, await decided(judged), FIRST_ROUND);
    const summaryAt = (skill: string) =>
      loopSummary({ ...result, settings: { ...result.settings, skill } as LoopSettings }, home);
    const models = `--models tiny,${shortHash(candidate)} --home ${home.path}`;
    const task = /'Write a text with the letter \w, version \d\.'/.source;
    expect(await summaryAt("cron")).toMatch(new RegExp(`^ {2}npx tracemill ask ${task} --skill cron ${models}$`, "m"));
    expect(await summaryAt("letters")).not.toContain("tracemill ask");
  }));
