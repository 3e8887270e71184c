/**
 * Promotes an adapter and rolls promotions back. One line of the ledger is a promotion, so it is there whole or not at all;
 * who looks and who writes holds one lock, so that of two promotions at once one is refused.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import { armNamed, BASE_ARM, type Decision, decidingPair, type Plan } from "../records/comparison.ts";
import type { Place, Promotion, Rollback } from "../records/ledger-entries.ts";
import { coversRole, JUDGED_ROLE } from "../records/role-names.ts";
import { listMadeDecisions, refuseEditedPlan } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { appendLedger } from "../store/ledger.ts";
import { readAdapterManifest, readPlan } from "../store/manifests.ts";
import { type Champion, championFor, DEFAULT, placeName, readChampions, standingPromotions } from "./champions.ts";
import { refuseRevokedDecision, refuseTaintedAdapter } from "./refuse-revoked.ts";
import { validateCommand } from "./validate-command.ts";

export interface PromoteOptions {
  /** Name, hash or prefix of it. */
  adapter: string;
  place: Place;
  /** Why it is promoted although no decision allows it. */
  override?: string;
  clock: Clock;
}

export interface PromotionReport extends Promotion {
  /** Who answered there before, be it as the champion of a wider place; null for the base. */
  before: Hash | null;
  /** Whether it was champion there already: then nothing is written. */
  wasChampion: boolean;
}

export interface RollbackReport extends Rollback {
  /** Who answers there now, which may be the champion of the whole skill or the default; null for the base. */
  answeredBy: Champion | null;
}

/**
 * Makes an adapter the champion of a place, durably.
 * Throws: `UNKNOWN_ADAPTER`, `PLACE_OF_ANOTHER_SKILL`, `PLACE_OF_ANOTHER_ROLE`, `TAINTED_ADAPTER`, `LINEAGE_GONE`, `NOT_DECIDED`,
 * `GATE_NOT_PASSED`, `OTHER_QUESTION_DECIDED`, `DECISION_REVOKED`, `DECISION_CHANGED`, `PLAN_EDITED`, `BAD_ARGUMENT` for an empty reason, `LOCKED` where another one is at it.
 */
export async function promote(home: Home, options: PromoteOptions): Promise<PromotionReport> {
  return alone(home, async () => {
    const { before, wasChampion, ...promotion } = await possiblePromotion(home, options);
    if (!wasChampion) appendLedger(home, { type: "promoted", data: promotion }, options.clock);
    return { ...promotion, before, wasChampion };
  });
}

/** Says what `promote` would do, and writes nothing. Throws: as `promote` does, but for `LOCKED`. */
export async function possiblePromotion(
  home: Home,
  { place, ...options }: Omit<PromoteOptions, "clock">,
): Promise<PromotionReport> {
  const override = options.override?.trim();
  if (override === "") throw noReason();
  const adapter = await readAdapterManifest(home, options.adapter);
  checkPlace(adapter, place);
  await refuseTaintedAdapter(home, adapter, { mayBeUnknown: override !== undefined });
  const champions = await readChampions(home);
  const before = championFor(champions, place)?.adapterHash ?? null;
  const { adapterHash } = adapter;
  const wasChampion = champions.get(placeName(place))?.adapterHash === adapterHash;
  const isAsked = override === undefined && !wasChampion;
  const comparisonHash = isAsked ? await passingComparison(home, adapter, { place, before }) : null;
  return { ...place, adapterHash, comparisonHash, override: override ?? null, before, wasChampion };
}

/**
 * Takes the last promotion at a place back, so that the champion before stands again, or `toBase` all of them. Where none
 * stands any more, the champion of the wider place answers, else the base.
 * Throws: `NOTHING_PROMOTED`, `TAINTED_ADAPTER` where what would be back is, `LINEAGE_GONE` where nobody can tell, `LOCKED`.
 */
export async function rollback(
  home: Home,
  { place, toBase = false, reason, clock }: { place: Place; toBase?: boolean; reason?: string; clock: Clock },
): Promise<RollbackReport> {
  return alone(home, async () => {
    const standing = (await standingPromotions(home)).get(placeName(place)) ?? [];
    const [champion, earlier] = [standing.at(-1), standing.at(-2)];
    if (champion === undefined) throw nothingPromoted(place, championFor(await readChampions(home), place));
    const to = toBase ? null : (earlier?.adapterHash ?? null);
    const fix = `tracemill rollback ${placeName(place)} --to-base`;
    if (to !== null) await refuseTaintedAdapter(home, await readAdapterManifest(home, to), { fix });
    const data = { ...place, from: champion.adapterHash, to, reason: reason ?? null };
    appendLedger(home, { type: "rolled_back", data }, clock);
    return { ...data, answeredBy: championFor(await readChampions(home), place) };
  });
}

async function alone<T>(home: Home, work: () => Promise<T>): Promise<T> {
  await mkdir(home.path, { recursive: true });
  const release = acquireLock(join(home.path, "promotion.lock"), "A promotion");
  try {
    return await work();
  } finally {
    release();
  }
}

/** An adapter answers for what it was trained on, and for nothing else; for a whole skill its worker has to be among that. */
function checkPlace(adapter: AdapterManifest, place: Place): void {
  const { skill } = place;
  const { skills } = adapter;
  const role = place.role ?? JUDGED_ROLE;
  if (skill === DEFAULT ? skills.length < 2 : !skills.includes(skill)) {
    throw new Refusal({
      code: "PLACE_OF_ANOTHER_SKILL",
      message: `The adapter ${adapterLabel(adapter)} cannot answer for what it was not trained on.`,
      expected: skill === DEFAULT ? "an adapter that was trained on several skills" : `an adapter of ${skill}`,
      got: `one that was trained on ${skills.join(", ")}`,
      fix: `tracemill promote ${adapterLabel(adapter)} --for ${skills[0]}`,
    });
  }
  if (!coversRole(adapter.role, role)) throw notOfRole(adapter, { skill, role });
}

function notOfRole(adapter: AdapterManifest, { skill, role }: { skill: string; role: string }): Refusal {
  const [own] = adapter.role.split("+");
  const unjudged = own === JUDGED_ROLE ? "" : ' --override "reason"';
  return new Refusal({
    code: "PLACE_OF_ANOTHER_ROLE",
    message: `The adapter ${adapterLabel(adapter)} was not trained on the turns of the ${role}.`,
    expected: `an adapter of the role ${role}`,
    got: `one of ${adapter.role}`,
    fix: `tracemill promote ${adapterLabel(adapter)} --for ${skill === DEFAULT ? adapter.skills[0] : skill}/${own}${unjudged}`,
  });
}

/** Returns the comparison that allows the promotion: the last one on the skill, for the default the last on each. */
async function passingComparison(
  home: Home,
  adapter: AdapterManifest,
  { place, before }: { place: Place; before: Hash | null },
): Promise<Hash> {
  const { skill, role } = place;
  if (role !== null && role !== JUDGED_ROLE) throw notJudgedAs(adapter, { skill, role });
  const wanted = skill === DEFAULT ? adapter.skills : [skill];
  const judged = await decisionsBySkill(home, adapter.adapterHash);
  let passing: Hash | undefined;
  for (const one of wanted) {
    const decision = judged.get(one)?.at(-1);
    if (decision === undefined) throw notDecided(adapter, { skill: one, before });
    if (!decision.hasPassed) throw notPassed(adapter, { skill: one, decision });
    const plan = await plannedFor(home, decision);
    if (plan.split !== "test" || !isAgainst(plan, before, adapter)) throw notAgainst(adapter, { plan, before });
    await refuseRevokedDecision(home, adapter, { decision, plan });
    passing = decision.comparisonHash;
  }
  return passing as Hash;
}

/** Of what the ledger says was decided, whatever files there are. */
async function decisionsBySkill(home: Home, adapterHash: Hash): Promise<Map<string, Decision[]>> {
  const bySkill = new Map<string, Decision[]>();
  for (const decision of await listMadeDecisions(home, adapterHash)) {
    const { skill } = await plannedFor(home, decision);
    bySkill.set(skill.id, [...(bySkill.get(skill.id) ?? []), decision]);
  }
  return bySkill;
}

async function plannedFor(home: Home, { comparisonHash }: Decision): Promise<Plan> {
  const plan = await readPlan(home, comparisonHash);
  refuseEditedPlan(home, plan);
  return plan;
}

/**
 * Whether what answers at the place was the one to beat: to be better than anything else says too little. Whoever answers there
 * already, as the champion of a wider place, cannot be asked to beat itself.
 */
function isAgainst(plan: Plan, answering: Hash | null, { adapterHash }: AdapterManifest): boolean {
  const [reference] = decidingPair(plan);
  if (answering === null) return reference === BASE_ARM;
  return answering === adapterHash || armNamed(plan, reference).adapterHash === answering;
}

function notAgainst(adapter: AdapterManifest, { plan, before }: { plan: Plan; before: Hash | null }): Refusal {
  const [reference] = decidingPair(plan);
  const beaten = armNamed(plan, reference).adapterHash;
  const asked = before === null ? "the base" : `the champion ${shortHash(before)}`;
  return new Refusal({
    code: "OTHER_QUESTION_DECIDED",
    message: `The last comparison of the adapter ${adapterLabel(adapter)} did not ask whether it may answer instead of what answers now.`,
    expected: `one against ${asked}, on the test split`,
    got: `one against ${reference}${beaten === null ? "" : ` ${shortHash(beaten)}`}, on the ${plan.split} split`,
    fix: validateCommand(adapter, { skill: plan.skill.id, answering: before }),
  });
}

function notDecided(adapter: AdapterManifest, { skill, before }: { skill: string; before: Hash | null }): Refusal {
  return new Refusal({
    code: "NOT_DECIDED",
    message: `No comparison has judged the adapter ${adapterLabel(adapter)} on ${skill}.`,
    expected: "a decision of the gate",
    got: "none",
    fix: validateCommand(adapter, { skill, answering: before }),
  });
}

function notJudgedAs(adapter: AdapterManifest, { skill, role }: { skill: string; role: string }): Refusal {
  const whole = coversRole(adapter.role, JUDGED_ROLE)
    ? `tracemill promote ${adapterLabel(adapter)} --for ${skill}, where it answers for the ${role} too, or `
    : "";
  return new Refusal({
    code: "NOT_DECIDED",
    message: `A comparison judges what an adapter does as the ${JUDGED_ROLE}, and says nothing of it as the ${role}.`,
    expected: `a place that a comparison can decide: ${skill} or ${skill}/${JUDGED_ROLE}`,
    got: `${skill}/${role}`,
    fix: `${whole}say why it is to be promoted all the same: --override "reason"`,
  });
}

function notPassed(adapter: AdapterManifest, { skill, decision }: { skill: string; decision: Decision }): Refusal {
  return new Refusal({
    code: "GATE_NOT_PASSED",
    message: `The last comparison on ${skill} does not allow the adapter ${adapterLabel(adapter)} to be promoted.`,
    expected: "every axis of the gate passed",
    got: [decision.verdict, ...decision.reasons].join("; "),
    where: `comparison ${shortHash(decision.comparisonHash)}`,
    fix: 'train on more verified runs, or say why it is to be promoted all the same: --override "reason"',
  });
}

function nothingPromoted(place: Place, answering: Champion | null): Refusal {
  const by = answering === null ? "the base" : `the champion of ${placeName(answering)}`;
  return new Refusal({
    code: "NOTHING_PROMOTED",
    message: `Nothing is promoted for ${placeName(place)}; ${by} answers there.`,
    expected: "a champion",
    got: "none",
    fix: answering === null ? "tracemill champion" : `tracemill rollback ${placeName(answering)}`,
  });
}

function noReason(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "The reason for overriding the gate is empty: later readers need to know why.",
    expected: "a text",
    fix: '--override "the customer accepted it after a review"',
  });
}
