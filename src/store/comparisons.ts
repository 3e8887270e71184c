/**
 * Plans and decisions as the ledger vouches for them. A plan's hash is its comparison's name; the hash of a decision stands in the
 * ledger. A decision is made once the ledger says so: a file alone, left by a crash or put there by hand, decides nothing.
 */
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashFile, hashJson } from "../foundation/hashing.ts";
import { type Decision, type Plan, partsOf } from "../records/comparison.ts";
import type { ItemId } from "../records/ids.ts";
import type { Split } from "../records/item.ts";
import type { EntryData } from "../records/ledger-entries.ts";
import type { Home } from "./home.ts";
import { appendLedger, readLedger } from "./ledger.ts";
import { findDecision, listPlans } from "./manifests.ts";
import { listRuns } from "./runs.ts";

type Said = EntryData<"decision_made">;

/** The families that a comparison judges a candidate on, skill by skill. */
export type JudgedFamilies = NonNullable<EntryData<"comparison_planned">["judged"]>;

/** Hash of a plan without its id and its date. */
export function planHash(plan: Plan): Hash {
  const { comparisonHash: _, plannedAt: __, ...fixed } = plan;
  return hashJson(fixed);
}

/** Throws: `PLAN_EDITED`. */
export function refuseEditedPlan(home: Home, plan: Plan): void {
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

/** Writes `decision.json`, then its hash into the ledger. */
export async function writeDecision(home: Home, decision: Decision, clock: Clock): Promise<void> {
  const { comparisonHash, adapterHash, verdict, hasPassed } = decision;
  const path = decisionPath(home, comparisonHash);
  await writeJsonAtomic(path, decision);
  const data = { comparisonHash, adapterHash, verdict, hasPassed, decisionHash: await hashFile(path) };
  appendLedger(home, { type: "decision_made", data }, clock);
}

/** Reads what was decided; null where the ledger does not say that it was. Throws: `DECISION_CHANGED`. */
export async function readMadeDecision(home: Home, comparisonHash: Hash): Promise<Decision | null> {
  const said = (await decisionsSaid(home)).get(comparisonHash);
  return said === undefined ? null : asSaid(home, said);
}

/** Lists the decisions on an adapter in the order in which the ledger has them. Throws: `DECISION_CHANGED`. */
export async function listMadeDecisions(home: Home, adapterHash: Hash): Promise<Decision[]> {
  const said = [...(await decisionsSaid(home)).values()].filter((one) => one.adapterHash === adapterHash);
  return Promise.all(said.map((one) => asSaid(home, one)));
}

/** A comparison whose `decision.json` is not what the ledger says was decided, or is gone: it tells nothing. */
export interface ChangedDecision {
  comparisonHash: Hash;
  adapterHash: Hash | null;
}

/** Lists what was decided in the order of the ledger, and apart from it what cannot be told any more as it was changed since. */
export async function listDecisions(home: Home): Promise<{ decisions: Decision[]; changed: ChangedDecision[] }> {
  const said = [...(await decisionsSaid(home)).values()];
  const read = await Promise.all(said.map((one) => asSaid(home, one).catch(orNull)));
  return {
    decisions: read.filter((decision) => decision !== null),
    changed: said.flatMap(({ comparisonHash, adapterHash }, index) =>
      read[index] === null ? [{ comparisonHash, adapterHash }] : [],
    ),
  };
}

/** Lists the comparisons that were decided against by what needs no run: their question may be asked anew. */
export async function listRefused(home: Home): Promise<Set<Hash>> {
  const refused = new Set<Hash>();
  for (const one of (await decisionsSaid(home)).values()) {
    // A decision that is not the one that was made proves no refusal: its comparison counts as run.
    const decision = one.hasPassed ? null : await asSaid(home, one).catch(orNull);
    if (decision?.arms.length === 0) refused.add(decision.comparisonHash);
  }
  return refused;
}

/** Lists those of them that were refused before any arm was run: such a one taught nobody anything about its items. */
export async function refusedBeforehand(home: Home): Promise<Set<Hash>> {
  const [refused, begun] = [await listRefused(home), await begunComparisons(home)];
  return new Set([...refused].filter((comparisonHash) => !begun.has(comparisonHash)));
}

/** Lists the comparisons of which a run's log is there, or the ledger says that something was measured: who looked may know of it. */
export async function begunComparisons(home: Home): Promise<Set<Hash>> {
  const begun = new Set((await listRuns(home)).flatMap(({ comparison }) => comparison?.comparisonHash ?? []));
  for await (const { type, data } of readLedger(home)) {
    if (type !== "arms_proven") continue;
    if (data.runs.length > 0 || data.generalHash !== null) begun.add(data.comparisonHash);
  }
  return begun;
}

/** The plans of comparisons that were run, or may be yet. */
export async function listRunPlans(home: Home): Promise<Plan[]> {
  const refused = await refusedBeforehand(home);
  return (await listPlans(home)).filter(({ comparisonHash }) => !refused.has(comparisonHash));
}

/** One skill's items that a comparison judges by. */
export interface HeldPart {
  comparisonHash: Hash;
  skill: string;
  split: Split;
  families: string[];
  /** None of a comparison whose folder is gone: of it the ledger knows the families alone. */
  items: ItemId[];
}

/** Lists what the comparisons that were run, or may be yet, keep out of training, part by part. */
export async function listHeldParts(home: Home): Promise<HeldPart[]> {
  const plans = await listRunPlans(home);
  const [refused, there] = [await refusedBeforehand(home), new Set(plans.map(({ comparisonHash }) => comparisonHash))];
  const held = plans.flatMap(({ comparisonHash, ...plan }) =>
    partsOf({ comparisonHash, ...plan }).map(({ skill, split, items }): HeldPart => {
      const families = [...new Set(items.map(({ family }) => family))];
      return { comparisonHash, skill: skill.id, split, families, items: items.map(({ item }) => item) };
    }),
  );
  for await (const { type, data } of readLedger(home)) {
    if (type !== "comparison_planned" || there.has(data.comparisonHash) || refused.has(data.comparisonHash)) continue;
    for (const part of data.judged ?? []) held.push({ comparisonHash: data.comparisonHash, ...part, items: [] });
  }
  return held.filter(({ split }) => split !== "train");
}

/** Says in the ledger that a plan is made, and what it judges a candidate on; once. */
export async function registerPlan(home: Home, plan: Plan, clock: Clock): Promise<void> {
  const { comparisonHash } = plan;
  for await (const { type, data } of readLedger(home)) {
    if (type === "comparison_planned" && data.comparisonHash === comparisonHash) return;
  }
  appendLedger(home, { type: "comparison_planned", data: { comparisonHash, judged: judgedOn(plan) } }, clock);
}

/**
 * Lists what each comparison that was run, or may be yet, judges a candidate on. The ledger says it, so that taking a folder away
 * forgets nothing; of an entry of before its plan does, and where that is gone nobody can tell: null.
 */
export async function listJudged(home: Home): Promise<(JudgedFamilies | null)[]> {
  const refused = await refusedBeforehand(home);
  // A crash may lie between a plan and its entry: such a one is counted too.
  const plans = (await listPlans(home)).map((plan): [Hash, JudgedFamilies] => [plan.comparisonHash, judgedOn(plan)]);
  const judged = new Map<Hash, JudgedFamilies | null>(plans);
  for await (const { type, data } of readLedger(home)) {
    if (type !== "comparison_planned") continue;
    judged.set(data.comparisonHash, data.judged ?? judged.get(data.comparisonHash) ?? null);
  }
  return [...judged].flatMap(([comparisonHash, one]) => (refused.has(comparisonHash) ? [] : [one]));
}

function judgedOn(plan: Plan): JudgedFamilies {
  if (plan.purpose !== "candidate") return [];
  return partsOf(plan).map(({ skill, split, items }) => {
    return { skill: skill.id, split, families: [...new Set(items.map(({ family }) => family))].sort() };
  });
}

/** What was said first of a comparison holds. */
async function decisionsSaid(home: Home): Promise<Map<Hash, Said>> {
  const said = new Map<Hash, Said>();
  for await (const { type, data } of readLedger(home)) {
    if (type === "decision_made" && !said.has(data.comparisonHash)) said.set(data.comparisonHash, data);
  }
  return said;
}

/** An entry of before has no hash: its decision is held to the adapter, verdict and outcome that it names. */
async function asSaid(home: Home, said: Said): Promise<Decision> {
  const { comparisonHash, decisionHash } = said;
  const path = decisionPath(home, comparisonHash);
  const decision = await findDecision(home, comparisonHash);
  if (decision === null) throw decisionChanged(path, { expected: "the decision", got: "no such file" });
  if (decisionHash === undefined) {
    const differing = (["comparisonHash", "adapterHash", "verdict", "hasPassed"] as const).find(
      (key) => decision[key] !== said[key],
    );
    if (differing === undefined) return decision;
    const [expected, got] = [said, decision].map((one) => `${differing} ${one[differing]}`) as [string, string];
    throw decisionChanged(path, { expected, got });
  }
  const got = await hashFile(path);
  if (got !== decisionHash) throw decisionChanged(path, { expected: `a file with the hash ${decisionHash}`, got });
  return decision;
}

function orNull(error: unknown): null {
  if (error instanceof Refusal && ["DECISION_CHANGED", "BAD_MANIFEST"].includes(error.code)) return null;
  throw error;
}

function decisionPath(home: Home, comparisonHash: Hash): string {
  return join(home.comparisonFolder(comparisonHash), "decision.json");
}

function decisionChanged(where: string, found: { expected: string; got: string }): Refusal {
  return new Refusal({
    code: "DECISION_CHANGED",
    message: "The decision is not the one that the ledger names.",
    ...found,
    where,
    fix: "put the file back from a backup, or validate again with another --seed",
  });
}
