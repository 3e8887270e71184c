/**
 * Decides a planned comparison: pairs the arms' outcomes, lets the plan's gate judge each pair, and puts the decision
 * on the disk, with its report, and in the ledger. A comparison is decided once.
 */
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { writeFileAtomic, writeJsonAtomic } from "../foundation/files.ts";
import { type Decision, decisionSchema, type Plan } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import type { Home } from "../store/home.ts";
import { openLake } from "../store/lake.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { readDecision, readPlan } from "../store/manifests.ts";
import { type ArmOutcomes, readArm } from "./arm-outcomes.ts";
import { loadGate } from "./gate.ts";
import { pairFigures } from "./pair-figures.ts";
import { planHash } from "./plan.ts";
import { renderReport } from "./report.ts";

export interface ArmRun {
  arm: string;
  run: RunId;
}

/**
 * Judges one sealed run per arm of the plan and returns the decision; the first pair's verdict is the comparison's.
 * A comparison that was decided on the same runs gives that decision again.
 * Throws: `PLAN_EDITED`, `ARM_WITHOUT_RUN`, `ALREADY_DECIDED`, `RUN_NOT_OF_COMPARISON`, `INCOMPLETE_ARM`.
 */
export async function decide(
  home: Home,
  comparisonHash: string,
  { runs, clock }: { runs: readonly ArmRun[]; clock: Clock },
): Promise<Decision> {
  const plan = await readPlan(home, comparisonHash);
  refuseEdited(home, plan);
  const known = await readDecision(home, plan.comparisonHash);
  if (known !== null) {
    refuseOtherRuns(home, known, runs);
    await recordDecision(home, known, clock);
    return known;
  }
  const arms = await readArms(home, plan, runs);
  const decision = await judge(plan, arms, clock);
  const folder = home.comparisonFolder(plan.comparisonHash);
  await writeFileAtomic(join(folder, "report.md"), renderReport(plan, decision, arms));
  await writeJsonAtomic(join(folder, "decision.json"), decision);
  await recordDecision(home, decision, clock);
  return decision;
}

async function readArms(home: Home, plan: Plan, runs: readonly ArmRun[]): Promise<ArmOutcomes[]> {
  const lake = await openLake(home);
  try {
    const arms: ArmOutcomes[] = [];
    for (const arm of plan.arms) {
      const found = runs.find((candidate) => candidate.arm === arm.arm);
      if (found === undefined) throw armWithoutRun(plan, arm.arm, runs);
      arms.push(await readArm(lake, plan, { arm, run: found.run }));
    }
    return arms;
  } finally {
    lake.close();
  }
}

async function judge(plan: Plan, arms: readonly ArmOutcomes[], clock: Clock): Promise<Decision> {
  const gate = await loadGate(plan.gate);
  const judged = pairFigures(plan, arms).map((figures) => ({ figures, ...gate.judge(figures, plan.alpha) }));
  const first = judged[0];
  const candidate = plan.arms.find(({ arm }) => arm === first?.figures.treatment);
  assert(first !== undefined && candidate?.adapterHash, "a plan's first pair has no adapter");
  return decisionSchema.parse({
    comparisonHash: plan.comparisonHash,
    adapterHash: candidate.adapterHash,
    gate: plan.gate,
    alpha: plan.alpha,
    verdict: first.verdict,
    reasons: [...first.reasons, ...arms.flatMap(rerunNote)],
    arms: arms.map((arm) => armResult(arm, plan.alpha)),
    pairs: judged.map(({ figures, verdict }) => ({ ...figures, verdict })),
    decidedAt: clock().toISOString(),
  });
}

function armResult({ arm, run, head, outcomes }: ArmOutcomes, alpha: number): Decision["arms"][number] {
  const n = outcomes.length;
  const passed = outcomes.filter((outcome) => outcome.passed).length;
  const tokens = outcomes.flatMap((outcome) => outcome.completionTokens ?? []);
  const completionTokens = tokens.length === n ? tokens.reduce((total, count) => total + count, 0) / n : null;
  const interval = wilsonInterval(passed, n, alpha);
  return { arm: arm.arm, run, head, passed, n, rate: passed / n, interval, completionTokens };
}

function rerunNote({ arm, run, runsOfArm }: ArmOutcomes): string[] {
  if (runsOfArm <= 1) return [];
  return [`Arm ${arm.arm} was run ${runsOfArm} times under this plan; run ${run} was judged.`];
}

function refuseOtherRuns(home: Home, decision: Decision, runs: readonly ArmRun[]): void {
  const other = decision.arms.find(({ arm, run }) => !runs.some((asked) => asked.arm === arm && asked.run === run));
  if (other === undefined) return;
  throw new Refusal({
    code: "ALREADY_DECIDED",
    message: "This comparison was decided on other runs; deciding it again would be choosing.",
    expected: `run ${other.run} for arm ${other.arm}`,
    got: runs.find(({ arm }) => arm === other.arm)?.run ?? "no run",
    where: join(home.comparisonFolder(decision.comparisonHash), "decision.json"),
    fix: "plan another comparison, with another seed",
  });
}

/** Says in the ledger what was decided, unless it says so already: a crash may have come between. */
async function recordDecision(home: Home, decision: Decision, clock: Clock): Promise<void> {
  const { comparisonHash, adapterHash, verdict } = decision;
  for await (const { type, data } of readLedger(home)) {
    if (type === "decision_made" && data.comparisonHash === comparisonHash) return;
  }
  appendLedger(home, { type: "decision_made", data: { comparisonHash, adapterHash, verdict } }, clock);
}

function refuseEdited(home: Home, plan: Plan): void {
  if (planHash(plan) === plan.comparisonHash) return;
  throw new Refusal({
    code: "PLAN_EDITED",
    message: "The plan was changed after it was written.",
    expected: `a plan with the hash ${plan.comparisonHash}`,
    got: planHash(plan),
    where: join(home.comparisonFolder(plan.comparisonHash), "plan.json"),
    fix: "put the file back, or plan another comparison",
  });
}

function armWithoutRun(plan: Plan, arm: string, runs: readonly ArmRun[]): Refusal {
  return new Refusal({
    code: "ARM_WITHOUT_RUN",
    message: `Arm ${arm} has no run, so there is nothing to pair.`,
    expected: `one run for each of: ${plan.arms.map((other) => other.arm).join(", ")}`,
    got: runs.map(({ arm: name, run }) => `${name} (${run})`).join(", ") || "no runs",
    fix: "run the comparison's arms with `tracemill validate`",
  });
}
