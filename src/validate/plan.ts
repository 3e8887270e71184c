/**
 * The plan of a comparison: what will be run and how it will be judged, on the disk and in the ledger before the
 * first call. Its hash is its id, so the same question asked again is the same comparison and can be taken up.
 */
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashJson } from "../foundation/hashing.ts";
import { decidingPair, type Plan, type PlanDraft, partsOf, planSchema } from "../records/comparison.ts";
import { reuseAlpha } from "../statistics/test-set-reuse.ts";
import type { Home } from "../store/home.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { listPlans, listRunPlans } from "../store/manifests.ts";
import { refuseLeaks } from "./held-out.ts";

/**
 * Writes `comparisons/<hash>/plan.json` and its ledger entry, and returns the plan. Where the same question is there
 * already, its plan is returned with its first date and use.
 * Throws: `NO_CANDIDATE`, and what `refuseLeaks` refuses; then nothing is written.
 */
export async function writePlan(home: Home, draft: PlanDraft, clock: Clock): Promise<Plan> {
  const placed = { comparisonHash: hashJson(draft), plannedAt: clock().toISOString(), use: 1, alpha: draft.gate.alpha };
  const parsed = planSchema.parse({ ...draft, ...placed });
  checkShape(parsed);
  const known = (await listPlans(home)).find((plan) => hashJson(questionOf(plan)) === hashJson(questionOf(parsed)));
  const plan = known ?? numbered(parsed, await listRunPlans(home));
  await refuseLeaks(home, plan);
  if (known === undefined) await writeJsonAtomic(join(home.comparisonFolder(plan.comparisonHash), "plan.json"), plan);
  if (!(await isPlanned(home, plan.comparisonHash))) {
    appendLedger(home, { type: "comparison_planned", data: { comparisonHash: plan.comparisonHash } }, clock);
  }
  return plan;
}

/** Hash of a plan without its id and its date. */
export function planHash(plan: Plan): Hash {
  const { comparisonHash: _, plannedAt: __, ...fixed } = plan;
  return hashJson(fixed);
}

/** What is asked, apart from when: how often the test set was used before is no part of the question. */
function questionOf(plan: Plan): unknown {
  const { comparisonHash: _, plannedAt: __, use: ___, alpha: ____, ...question } = plan;
  return question;
}

/**
 * Returns which candidate on some of these items the next one is. Every one that was ever planned to be judged on them is a
 * use: whoever looked at how it did may have chosen by it. One that was refused before any arm was run taught nobody anything.
 */
export function nextUse({ items: asked, split }: Pick<Plan, "items" | "split">, earlier: readonly Plan[]): number {
  const items = new Set(asked.map(({ item }) => item));
  const isUse = (other: Plan) =>
    other.purpose === "candidate" && other.split === split && other.items.some(({ item }) => items.has(item));
  return 1 + earlier.filter(isUse).length;
}

function numbered(plan: Plan, earlier: readonly Plan[]): Plan {
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

/** A crash may lie between the file and the ledger: then the entry is still owed. */
async function isPlanned(home: Home, comparisonHash: Hash): Promise<boolean> {
  for await (const { type, data } of readLedger(home)) {
    if (type === "comparison_planned" && data.comparisonHash === comparisonHash) return true;
  }
  return false;
}
