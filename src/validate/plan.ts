/**
 * The plan of a comparison: what will be run and how it will be judged, on the disk and in the ledger before the
 * first call. Its hash is its id, so the same question asked again is the same comparison and can be taken up.
 */
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashJson, shortHash } from "../foundation/hashing.ts";
import { inTurn } from "../foundation/lock-file.ts";
import {
  armNamed,
  decidingPair,
  type Part,
  type Plan,
  type PlanDraft,
  partsOf,
  planSchema,
} from "../records/comparison.ts";
import { reuseAlpha } from "../statistics/test-set-reuse.ts";
import { type JudgedFamilies, listJudged, listRefused, planHash, registerPlan } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { listPlans } from "../store/manifests.ts";
import { refuseLeaks } from "./held-out.ts";

/** Giving a number out takes milliseconds. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Writes `comparisons/<hash>/plan.json` and its ledger entry, and returns the plan. Where the same question is there
 * already, its plan is returned with its first date and use; one that was refused by what needs no run is asked anew.
 * Throws: `NO_CANDIDATE`, and what `refuseLeaks` refuses; then nothing is written. `LOCKED`.
 */
export async function writePlan(home: Home, draft: PlanDraft, clock: Clock): Promise<Plan> {
  return written(home, draft, { clock, isToRun: true });
}

/** As `writePlan`, of a comparison that is to be refused without a run: the same refusal is not asked for twice. */
export async function writePlanToRefuse(home: Home, draft: PlanDraft, clock: Clock): Promise<Plan> {
  return written(home, draft, { clock, isToRun: false });
}

async function written(
  home: Home,
  draft: PlanDraft,
  { clock, isToRun }: { clock: Clock; isToRun: boolean },
): Promise<Plan> {
  const parsed = placed(draft, clock);
  checkShape(parsed);
  await refuseLeaks(home, parsed);
  // Two that looked at once would both be the first on their families.
  const turn = {
    path: join(home.path, "comparisons.lock"),
    what: "The list of comparisons",
    longestMs: LONGEST_WAIT_MS,
  };
  return inTurn(turn, async () => {
    const [all, refused] = [await listPlans(home), await listRefused(home)];
    const { open, last } = sameQuestion(parsed, all, refused);
    const known = open ?? (isToRun ? undefined : last);
    const asked = last === undefined ? parsed : { ...parsed, refusedBefore: last.comparisonHash };
    const plan = known ?? numbered(asked, await listJudged(home));
    if (known === undefined) await writeJsonAtomic(join(home.comparisonFolder(plan.comparisonHash), "plan.json"), plan);
    // A crash may have come between the file and the ledger: then the entry is still owed.
    await registerPlan(home, plan, clock);
    return plan;
  });
}

function placed(draft: PlanDraft, clock: Clock): Plan {
  const place = { comparisonHash: hashJson(draft), plannedAt: clock().toISOString(), use: 1, alpha: draft.gate.alpha };
  return planSchema.parse({ ...draft, ...place });
}

/**
 * Refuses a draft that asks another question than the comparisons that were begun of its adapter at its skill: with another plan it
 * would be another comparison. Throws: `NOTHING_TO_RESUME`, `OTHER_PLAN` with what differs from the last one.
 */
export async function refuseOtherPlan(home: Home, draft: PlanDraft, clock: Clock): Promise<void> {
  const asked = placed(draft, clock);
  const ofAdapter = (plan: Plan) => hashJson([plan.skill.id, plan.purpose, decidingAdapter(plan)]);
  const begun = (await listPlans(home))
    .filter((plan) => ofAdapter(plan) === ofAdapter(asked))
    .sort((one, other) => one.plannedAt.localeCompare(other.plannedAt));
  const last = begun.at(-1);
  if (last === undefined) {
    throw new Refusal({
      code: "NOTHING_TO_RESUME",
      message: `No comparison of ${asked.purpose === "aa" ? "the base with itself" : "this adapter"} at ${asked.skill.id} was begun.`,
      expected: "a comparison that was begun and stopped",
      fix: "leave out --resume",
    });
  }
  const question = hashJson(questionOf(asked));
  if (begun.some((plan) => hashJson(questionOf(plan)) === question)) return;
  throw new Refusal({
    code: "OTHER_PLAN",
    message: `The comparison ${shortHash(last.comparisonHash)} was begun with another plan.`,
    expected: "the plan that was written before its first call",
    got: `other ${differing(questionOf(last), questionOf(asked)).join(", ")}`,
    fix: "give the options of then, or leave out --resume: that is a comparison of its own",
  });
}

function decidingAdapter(plan: Plan): Hash | null {
  return armNamed(plan, decidingPair(plan)[1]).adapterHash;
}

/** The parts of two questions that are not the same, by name. */
function differing(one: Record<string, unknown>, other: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => hashJson(one[name] ?? null) !== hashJson(other[name] ?? null));
}

/** The plan of the same question that was run or may be yet, and the last one that was refused. */
function sameQuestion(
  plan: Plan,
  all: readonly Plan[],
  refused: ReadonlySet<Hash>,
): { open: Plan | undefined; last: Plan | undefined } {
  const question = hashJson(questionOf(plan));
  const same = all.filter((other) => hashJson(questionOf(other)) === question);
  const followed = new Set(same.map(({ refusedBefore }) => refusedBefore));
  return {
    open: same.find(({ comparisonHash }) => !refused.has(comparisonHash)),
    last: same.find(({ comparisonHash }) => refused.has(comparisonHash) && !followed.has(comparisonHash)),
  };
}

/**
 * What is asked, apart from when: how often the families were used before is no part of the question, and whether they are fresh
 * follows from the items.
 */
function questionOf(plan: Plan): Record<string, unknown> {
  const {
    comparisonHash: _,
    plannedAt: __,
    use: ___,
    alpha: ____,
    refusedBefore: _____,
    isFresh: ______,
    ...question
  } = plan;
  return question;
}

/**
 * Returns which candidate on some of these families the next one is. Every one that was ever planned to be judged on them, be it
 * at the side, is a use: whoever looked at how it did may have chosen by it, and items of one family tell of each other. One
 * that was refused before any arm was run taught nobody anything; one of which nobody can tell counts.
 */
export function nextUse(
  asked: Pick<Part, "skill" | "split" | "items">,
  earlier: readonly (JudgedFamilies | null)[],
): number {
  const asksFor = new Set(asked.items.map(({ family }) => family));
  const isShared = ({ skill, split, families }: JudgedFamilies[number]) =>
    skill === asked.skill.id && split === asked.split && families.some((family) => asksFor.has(family));
  return 1 + earlier.filter((judged) => judged === null || judged.some(isShared)).length;
}

function numbered(plan: Plan, earlier: readonly (JudgedFamilies | null)[]): Plan {
  const use = plan.purpose === "candidate" ? nextUse(plan, earlier) : 1;
  const fixed: Plan = {
    ...plan,
    use,
    alpha: plan.purpose === "candidate" ? reuseAlpha(plan.gate.alpha, use) : plan.gate.alpha,
  };
  return { ...fixed, comparisonHash: planHash(fixed) };
}

function checkShape(plan: Plan): void {
  const names = plan.arms.map(({ arm }) => arm);
  assert(new Set(names).size === names.length, "two arms of a plan have the same name");
  const parts = partsOf(plan);
  assert(new Set(parts.map(({ skill }) => skill.id)).size === parts.length, "two parts of a plan are of one skill");
  for (const { items } of parts) {
    assert(new Set(items.map(({ item }) => item)).size === items.length, "a plan holds an item twice");
  }
  assert(
    plan.pairs.every(([reference, treatment]) => names.includes(reference) && names.includes(treatment)),
    "a plan pairs an arm that it does not have",
  );
  const [reference, treatment] = decidingPair(plan);
  if (plan.purpose === "aa" || plan.arms.find(({ arm }) => arm === treatment)?.adapterHash) return;
  throw new Refusal({
    code: "NO_CANDIDATE",
    message: "A comparison decides about an adapter.",
    expected: "a first pair whose second arm serves an adapter",
    got: `${reference} against ${treatment}`,
    fix: "name an adapter with --candidate",
  });
}
