/**
 * Decides a planned comparison: pairs the arms' outcomes, puts every axis of the gate to the candidate, and writes the
 * decision to the disk, with its report, and to the ledger. A comparison is decided once.
 */
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { counted } from "../foundation/counted.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { writeFileAtomic } from "../foundation/files.ts";
import {
  type ArmResult,
  armNamed,
  armsAt,
  basePair,
  type Decision,
  decidingPair,
  decisionSchema,
  type GateVerdict,
  type PartResult,
  type Plan,
  partsOf,
} from "../records/comparison.ts";
import type { AxisResult } from "../records/gate.ts";
import type { RunId } from "../records/ids.ts";
import { begunComparisons, readMadeDecision, refuseEditedPlan, writeDecision } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { readPlan } from "../store/manifests.ts";
import { armFigures } from "./arm-figures.ts";
import { type ArmOutcomes, type ArmRun, readArm } from "./arm-outcomes.ts";
import type { Axis, Evidence } from "./axis.ts";
import { type Judgement, judgeAll, loadAxes } from "./judge.ts";
import { cutAt, type JudgedPart, paired, type WholeArm } from "./judged-part.ts";
import { pairFigures, skillEvidence } from "./pair-figures.ts";
import { renderReport } from "./report.ts";
import { LOOKS, type PairSeen, sequentialAxis, stopOf } from "./sequential.ts";

/** What is known of the candidate besides its runs. */
export type Found = Omit<Evidence, "primary" | "sides"> & Pick<Decision, "shown">;

/**
 * Judges the sealed runs of a plan and returns the decision; the first pair's verdict on the first skill is the comparison's.
 * A comparison that was decided on the same runs gives that decision again.
 * Throws: `PLAN_EDITED`, `DECISION_CHANGED`, `ARM_WITHOUT_RUN`, `ALREADY_DECIDED`, `RUN_NOT_OF_COMPARISON`, `INCOMPLETE_ARM`.
 */
export async function decide(
  home: Home,
  comparisonHash: string,
  {
    runs,
    found,
    clock,
    leftOut = [],
  }: {
    runs: readonly ArmRun[];
    found: Found;
    clock: Clock;
    /** Runs under this plan that were not to be taken up. */
    leftOut?: readonly RunId[];
  },
): Promise<Decision> {
  const plan = await readPlan(home, comparisonHash);
  refuseEditedPlan(home, plan);
  const known = await readMadeDecision(home, plan.comparisonHash);
  if (known !== null) {
    refuseOtherRuns(home, known, runs);
    return known;
  }
  const parts = await readParts(home, plan, runs);
  const decision = await judge(plan, parts, { found, clock, leftOut });
  return keep(home, decision, { report: renderReport(plan, decision, parts), clock });
}

/**
 * Decides against a candidate that fails at what needs no run: it has seen what it would be judged on, or its rows are revoked.
 * Throws: `PLAN_EDITED`, `DECISION_CHANGED`.
 */
export async function decideBeforehand(
  home: Home,
  comparisonHash: string,
  { found, clock }: { found: Pick<Found, "taint" | "leaks">; clock: Clock },
): Promise<Decision> {
  const plan = await readPlan(home, comparisonHash);
  refuseEditedPlan(home, plan);
  const known = await readMadeDecision(home, plan.comparisonHash);
  if (known !== null) return known; // decided once: what came to light since is told by `status` and `promote`
  const axes = await loadAxes();
  const evidence = { ...NOTHING_SEEN, ...found };
  const results = [...axes.values()]
    .filter(({ needsNoRun }) => needsNoRun)
    .flatMap((axis) => axis.judge(evidence, plan.gate));
  const failed = results.filter(({ outcome }) => outcome === "failed");
  const isBegun = (await begunComparisons(home)).has(plan.comparisonHash);
  assert(failed.length > 0, "nothing speaks against the candidate");
  const decision = decisionSchema.parse({
    ...{ comparisonHash: plan.comparisonHash, adapterHash: candidateOf(plan), alpha: plan.alpha },
    ...{ verdict: "inconclusive", hasPassed: false, axes: results, arms: [], pairs: [], dropped: [], sides: [] },
    reasons: [...failed.map(({ axis, reason }) => `${axis} failed: ${reason}`), isBegun ? NOT_ENDED : NO_RUN, CLEARED],
    decidedAt: clock().toISOString(),
  });
  return keep(home, decision, { report: renderReport(plan, decision, []), clock });
}

const NO_RUN = "So no arm was run.";
const NOT_ENDED =
  "Its arms were begun before that came to light and are not judged; as they could be looked at, it counts as a use of its items.";

/** How a refused question is asked again. */
const CLEARED =
  "Where the cause lies in what the candidate was trained on, rebuild the dataset, train on it and validate that adapter; " +
  "once nothing stands against this candidate any more, the same command plans the comparison anew.";

const NOTHING_SEEN: Evidence = {
  primary: { skill: "", differences: [], baseRate: 0, counts: null, costs: null },
  ...{ sides: [], general: [], foreign: [], kl: null, isLive: null, taint: [], leaks: null },
};

async function keep(home: Home, decision: Decision, { report, clock }: { report: string; clock: Clock }) {
  const folder = home.comparisonFolder(decision.comparisonHash);
  await writeFileAtomic(join(folder, "report.md"), report);
  await writeDecision(home, decision, clock);
  return decision;
}

async function readParts(home: Home, plan: Plan, runs: readonly ArmRun[]): Promise<JudgedPart[]> {
  return withLake(home, async (lake) => {
    const parts: JudgedPart[] = [];
    for (const [index, part] of partsOf(plan).entries()) {
      const arms: ArmOutcomes[] = [];
      for (const arm of armsAt(plan, index)) arms.push(await readArm(lake, plan, { part, arm, runs }));
      const families = part.items.map(({ family }) => family);
      const stop = plan.sequential && index === 0 ? stopOf(pairsSeen(plan, arms), { ...plan, families }) : null;
      const { part: cut, arms: kept } = stop === null ? { part, arms } : cutAt(part, arms, stop.items);
      parts.push({ ...paired(cut, kept), stop });
    }
    return parts;
  });
}

function pairsSeen({ pairs }: Plan, arms: readonly ArmOutcomes[]): PairSeen[] {
  const [reference, treatment] = decidingPair({ pairs }).map(
    (name) => arms.find(({ arm }) => arm.arm === name)?.outcomes ?? [],
  ) as [ArmOutcomes["outcomes"], ArmOutcomes["outcomes"]];
  return reference.map((before, index) => {
    const [one, other] = [before?.samples[0]?.passed, treatment[index]?.samples[0]?.passed];
    return one === undefined || other === undefined ? null : { reference: one, treatment: other };
  });
}

async function judge(
  plan: Plan,
  parts: readonly JudgedPart[],
  { found, clock, leftOut }: { found: Found; clock: Clock; leftOut: readonly RunId[] },
): Promise<Decision> {
  const axes = await loadAxes();
  const gate = { ...plan.gate, alpha: plan.alpha };
  const results = parts.map((part) => ({ skill: part.part.skill.id, ...resultOf(plan, part, axes) }));
  const [first, ...sides] = results as [(typeof results)[number], ...typeof results];
  const { shown, ...facts } = found;
  const areFresh = plan.use === 1 && partsOf(plan).every(({ isFresh }) => isFresh);
  const evidence = { ...facts, ...skillsSeen(plan, parts), areFresh };
  const judgement = plan.purpose === "aa" ? NOT_JUDGED : judgeAll(axesOf(axes, parts, plan), evidence, gate);
  return decisionSchema.parse({
    ...{ comparisonHash: plan.comparisonHash, adapterHash: candidateOf(plan), alpha: plan.alpha },
    ...{ verdict: first.pairs[0]?.verdict, hasPassed: judgement.hasPassed, axes: judgement.axes },
    reasons: [
      ...judgement.reasons,
      ...(found.isLive === false ? [NOT_APPLIED] : []),
      ...(leftOut.length > 0 ? [leftOutSentence(leftOut)] : []),
      ...(plan.use > 1 ? [reuseNote(plan)] : []),
      ...stopNote(plan, parts[0]?.stop ?? null),
      ...parts.flatMap(({ arms }) => arms.flatMap((arm) => rerunNote(arm, plan))),
      ...results.flatMap(droppedNote),
    ],
    ...{ arms: first.arms, pairs: first.pairs, dropped: first.dropped, sides, shown },
    decidedAt: clock().toISOString(),
  });
}

const NOT_APPLIED =
  "The canary stood before the runs and failed after them: an adapter stopped being applied on the way, so its figures may be " +
  "the base's. These runs are judged and never used again; find out why, and validate with another --seed.";

/** Says which runs under a plan were not taken up, and why. */
export function leftOutSentence(runs: readonly RunId[]): string {
  return `Runs of an earlier try are left out, as no canary stood at their end: ${runs.join(", ")}.`;
}

const NOT_JUDGED: Judgement = { hasPassed: false, axes: [], reasons: [] };

/** What the axes see of the deciding pair, skill by skill, and at the side of the base. */
function skillsSeen(plan: Plan, [first, ...others]: readonly JudgedPart[]): Pick<Evidence, "primary" | "sides"> {
  assert(first !== undefined, "a plan without a part");
  const seen = ({ part, arms }: JudgedPart, pair: [string, string]) =>
    skillEvidence(part.skill.id, plan, { arms, pair });
  const [pair, base] = [decidingPair(plan), basePair(plan)];
  const sides = others.map((part) => ({ ...seen(part, pair), ...(base && { toBase: seen(part, base) }) }));
  return { primary: seen(first, pair), sides };
}

/**
 * Where a comparison may end early, what sees the items that it may end at is judged at a look's share of alpha, and bets have to be
 * sure of the skill, too.
 */
function axesOf(
  axes: ReadonlyMap<string, Axis>,
  [first]: readonly JudgedPart[],
  { alpha }: Plan,
): ReadonlyMap<string, Axis> {
  const stop = first?.stop ?? null;
  if (stop === null) return axes;
  const atLook = (id: string, axis: Axis): Axis => {
    if (axis.seesItems !== true) return axis;
    const judged: Axis["judge"] = (evidence, gate) => axis.judge(evidence, { ...gate, alpha: alpha / LOOKS });
    if (id !== "primary") return { ...axis, judge: judged };
    return { ...axis, judge: (...asked) => judged(...asked).map((result) => sequentialAxis(result, stop, alpha)) };
  };
  return new Map([...axes].map(([id, axis]) => [id, atLook(id, axis)]));
}

/** Every pair of arms is judged as the deciding one is: by the primary axis. */
function resultOf(plan: Plan, judged: JudgedPart, all: ReadonlyMap<string, Axis>): PartResult {
  const { part, arms, dropped } = judged;
  const axes = axesOf(all, [judged], plan);
  const gate = { ...plan.gate, alpha: plan.alpha };
  const names = arms.map(({ arm }) => arm.arm);
  const pairs = plan.pairs.filter((pair) => pair.every((arm) => names.includes(arm)));
  return {
    arms: arms.map((arm) => armFigures(arm, plan.alpha)),
    pairs: pairFigures({ ...plan, pairs, ...lookOf(judged, plan) }, arms).map((figures) => {
      const pair = [figures.reference, figures.treatment] as const;
      const primary = skillEvidence(part.skill.id, plan, { arms, pair });
      return { ...figures, verdict: verdictOf(axes.get("primary")?.judge({ ...NOTHING_SEEN, primary }, gate)) };
    }),
    dropped,
  };
}

/** A pair that is looked at several times is shown by the interval that decides about it. */
function lookOf({ stop }: JudgedPart, { alpha }: Plan): { lookAlpha?: number } {
  return stop === null ? {} : { lookAlpha: alpha / LOOKS };
}

function verdictOf(results: readonly AxisResult[] | undefined): GateVerdict {
  const outcome = results?.[0]?.outcome;
  return outcome === "passed" ? "better" : outcome === "failed" ? "worse" : "inconclusive";
}

function candidateOf(plan: Plan): Decision["adapterHash"] {
  const [, treatment] = decidingPair(plan);
  return armNamed(plan, treatment).adapterHash;
}

function reuseNote({ use, alpha }: Plan): string {
  return `It is candidate ${use} on families of these items, so each interval errs with ${(100 * alpha).toFixed(2)} % only.`;
}

function stopNote({ skill, items, alpha }: Plan, stop: JudgedPart["stop"]): string[] {
  if (stop === null) return [];
  const share = (100 * (alpha / LOOKS)).toFixed(2);
  return [
    `It could end at ${LOOKS} places, so ${skill.id} and the cost of a solved item are judged by intervals that err with ${share} % only; whatever else is shown of the arms is of one look.`,
    ...(stop.verdict === null
      ? []
      : [`It was sure after ${stop.items} of ${items.length} items and looks at no other.`]),
  ];
}

function rerunNote({ arm, runs, runsOfArm }: WholeArm, { samples }: Plan): string[] {
  if (runsOfArm <= samples) return [];
  const judged = runs.map(({ run }) => run).join(", ");
  return [`Arm ${arm.arm} was run ${runsOfArm} times under this plan; run ${judged} was judged.`];
}

function droppedNote({ skill, dropped }: { skill: string; dropped: PartResult["dropped"] }): string[] {
  if (dropped.length === 0) return [];
  return [
    `${counted(dropped.length, `item of ${skill} has`, `items of ${skill} have`)} no verdict in an arm, which leaves out the pair in all arms.`,
  ];
}

function refuseOtherRuns(home: Home, decision: Decision, runs: readonly ArmRun[]): void {
  const isAsked = (arm: ArmResult) =>
    arm.runs.every(({ run }) => runs.some((asked) => asked.arm === arm.arm && asked.run === run));
  const other = [decision, ...decision.sides].flatMap(({ arms }) => arms).find((arm) => !isAsked(arm));
  if (other === undefined) return;
  throw new Refusal({
    code: "ALREADY_DECIDED",
    message: "This comparison was decided on other runs; deciding it again would be choosing.",
    expected: `run ${other.runs.map(({ run }) => run).join(", ")} for arm ${other.arm}`,
    got: runs.flatMap(({ arm, run }) => (arm === other.arm ? [run] : [])).join(", ") || "no run",
    where: join(home.comparisonFolder(decision.comparisonHash), "decision.json"),
    fix: "plan another comparison, with another seed",
  });
}
