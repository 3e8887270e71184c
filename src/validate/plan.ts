/**
 * The plan of a comparison: what will be run and how it will be judged, on the disk and in the ledger before the
 * first call. Its hash is its id, so the same question asked again is the same comparison and can be taken up.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashJson } from "../foundation/hashing.ts";
import { type Plan, type PlanDraft, planSchema } from "../records/comparison.ts";
import type { Home } from "../store/home.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { readPlan } from "../store/manifests.ts";
import { loadGate } from "./gate.ts";
import { refuseLeaks } from "./held-out.ts";

/**
 * Writes `comparisons/<hash>/plan.json` and its ledger entry, and returns the plan. Where the same plan is there
 * already, it is returned with its first date.
 * Throws: `NO_CANDIDATE`, `UNKNOWN_GATE`, and what `refuseLeaks` refuses; then nothing is written.
 */
export async function writePlan(home: Home, draft: PlanDraft, clock: Clock): Promise<Plan> {
  const unnamed = { ...draft, comparisonHash: hashJson(draft), plannedAt: clock().toISOString() };
  const parsed = planSchema.parse(unnamed);
  const plan: Plan = { ...parsed, comparisonHash: planHash(parsed) };
  checkShape(plan);
  await loadGate(plan.gate);
  await refuseLeaks(home, plan);
  const path = join(home.comparisonFolder(plan.comparisonHash), "plan.json");
  const isKnown = existsSync(path);
  if (!isKnown) await writeJsonAtomic(path, plan);
  if (!(await isPlanned(home, plan.comparisonHash))) {
    appendLedger(home, { type: "comparison_planned", data: { comparisonHash: plan.comparisonHash } }, clock);
  }
  return isKnown ? readPlan(home, plan.comparisonHash) : plan;
}

/** Hash of a plan without its id and its date: of the question alone. */
export function planHash(plan: Plan): Hash {
  const { comparisonHash: _, plannedAt: __, ...question } = plan;
  return hashJson(question);
}

function checkShape(plan: Plan): void {
  const names = plan.arms.map(({ arm }) => arm);
  assert(new Set(names).size === names.length, "two arms of a plan have the same name");
  assert(new Set(plan.items.map(({ item }) => item)).size === plan.items.length, "a plan holds an item twice");
  assert(
    plan.pairs.every(([reference, treatment]) => names.includes(reference) && names.includes(treatment)),
    "a plan pairs an arm that it does not have",
  );
  const [reference, treatment] = plan.pairs[0] as [string, string];
  if (plan.arms.find(({ arm }) => arm === treatment)?.adapterHash) return;
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
