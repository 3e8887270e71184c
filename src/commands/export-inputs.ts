/**
 * What an export reads besides its runs, found from what the user named: role, skills, base, the skills' form of an
 * answer, and the place in the ledger that the inputs are bound to. Every name that is not known is refused with the
 * nearest ones.
 */
import type { Clock } from "../foundation/clock.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { type Hash, hashJson } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { type ActionCall, ROLES, type Role } from "../records/events.ts";
import { type AttemptId, attemptParts } from "../records/ids.ts";
import type { LoggedEntry, Revocation } from "../records/ledger-entries.ts";
import { ALL_ROLES } from "../records/role-names.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { appendLedger, coverings, otherIdsOf, readLedger, revocations } from "../store/ledger.ts";
import { listBases, readBaseManifest } from "../store/manifests.ts";
import { readRevokedParts } from "../store/revoked-parts.ts";
import { listRuns, type RunSummary, runsWithoutLog } from "../store/runs.ts";
import type { SealedRun } from "./chosen-runs.ts";
import { readSkillList } from "./skill-list.ts";

/** Throws: `UNKNOWN_ROLE`. */
export function checkedRole(name: string): Role {
  const role = ROLES.find((known) => known === name);
  if (role === undefined) throw unknownName("role", name, [...ROLES, ALL_ROLES]);
  return role;
}

/**
 * Reads which skills are meant by a list; `all` are those of the runs.
 * Throws: `UNKNOWN_SKILL`; `NO_SKILL_LEFT` where nothing is left.
 */
export async function chosenSkills(home: Home, text: string): Promise<string[]> {
  const recorded = [...new Set([...(await listRuns(home)), ...runsWithoutLog(home)].map(({ skill }) => skill))].sort();
  const known = [...new Set([...(await listSkills()), ...recorded])];
  const { chosen } = await readSkillList(text, { known, all: async () => recorded });
  if (chosen.length > 0) return chosen;
  throw new Refusal({
    code: "NO_SKILL_LEFT",
    message: "No skill is left to take examples from.",
    expected: "at least one skill with a run",
    got: text,
    fix: recorded.length === 0 ? "tracemill run --skill sql --split train --model NAME" : `--skills ${recorded[0]}`,
  });
}

/**
 * Returns the base whose tokenizer and template render the rows: the named one, else the only one there is, else the
 * one that the runs' workers had; null where none is known or `none` is asked for, as not every format needs one.
 * Throws: `UNKNOWN_BASE`; `BASE_NOT_NAMED` where there are several and none of these is one base.
 */
export async function chosenBase(home: Home, runs: readonly RunSummary[], name?: string): Promise<BaseManifest | null> {
  if (name === "none") return null;
  if (name !== undefined) return readBaseManifest(home, name);
  const bases = await listBases(home);
  if (bases.length === 0) return null;
  const workers = new Set(
    runs.map(({ models: { worker } }) => (worker && "baseHash" in worker ? worker.baseHash : null)),
  );
  const candidates = bases.length === 1 ? bases : bases.filter(({ baseHash }) => workers.has(baseHash));
  const [base] = candidates;
  if (base !== undefined && candidates.length === 1) return base;
  throw new Refusal({
    code: "BASE_NOT_NAMED",
    message: "Which base renders the rows is not clear.",
    expected: "--base NAME, --base none, or one base that all runs were made with",
    got: `bases: ${bases.map((known) => known.name).join(", ")}`,
    fix: `--base ${candidates[0]?.name ?? bases[0]?.name}`,
  });
}

/**
 * Returns how each skill writes an action as an answer.
 * Throws: `SKILL_WITHOUT_ANSWER_TEXT`.
 */
export async function answerTexts(skills: readonly string[]): Promise<(skill: string, call: ActionCall) => string> {
  const writers = new Map<string, (call: ActionCall) => string>();
  for (const id of skills) {
    const skill = await loadSkill(id);
    if (skill.answerText === undefined) {
      throw new Refusal({
        code: "SKILL_WITHOUT_ANSWER_TEXT",
        message: `The skill ${id} does not say how an action is written as an answer.`,
        expected: "a skill with `answerText`",
        fix: "--target answer",
      });
    }
    writers.set(id, skill.answerText.bind(skill));
  }
  return (skill, call) => {
    const write = writers.get(skill);
    assert(write !== undefined, `no answer text for the skill ${skill}`);
    return write(call);
  };
}

/**
 * Returns the hash of the ledger's last entry that bears on these runs: later ones of other things do not change it. A
 * revocation bears on the runs that it takes something from, and so does that one of them holds what is revoked elsewhere;
 * a tip's retirement bears on those of its skill.
 * Throws: as `openLake`, where a tip or a verifier is revoked.
 */
export async function lastBearing(home: Home, runs: readonly SealedRun[]): Promise<Hash> {
  const names = new Set<string>(runs.map(({ run }) => run));
  const skills = new Set(runs.map(({ skill }) => skill));
  const reached = await revocationsReaching(home, [...names]);
  let last: Hash | null = null;
  for await (const entry of readLedger(home)) {
    const isSealing = entry.type === "run_sealed" && names.has(entry.data.run);
    const isLateVerdict = entry.type === "verdict_given" && names.has(entry.data.run);
    const isRetirement = entry.type === "tip_retired" && skills.has(entry.data.skill);
    const isRevocation = entry.type === "revoked" && reached.has(keyOf(entry.data));
    if (isSealing || isLateVerdict || isRetirement || isRevocation || isRevoking(entry, names, reached))
      last = hashJson(entry);
  }
  assert(last !== null, "a sealed run is in the ledger");
  return last;
}

/** Whether one of the runs is said to hold another one's calls, of which something is revoked, or to be held by one with a revoked attempt. */
function isRevoking({ type, data }: LoggedEntry, names: ReadonlySet<string>, reached: ReadonlySet<string>): boolean {
  if (type !== "run_joined" && type !== "run_replaced") return false;
  const covered = type === "run_joined" ? data.recorded : data.replaced;
  const isAttemptRevoked = (run: string) => [...reached].some((key) => key.startsWith(`attempt ${run}/`));
  if (names.has(data.run) && (reached.has(`run ${covered}`) || isAttemptRevoked(covered))) return true;
  return names.has(covered) && type === "run_replaced" && isAttemptRevoked(data.run);
}

/** Which revocations take something from the runs; what a tip or a verifier had a part in, and which attempts they have, the lake knows. */
async function revocationsReaching(home: Home, runs: readonly string[]): Promise<Set<string>> {
  const said = coverings(home);
  const all = revocations(home);
  const isIn = (id: string) => runs.includes(attemptParts(id as AttemptId).run);
  const isElsewhere = ({ kind, target }: Revocation) =>
    kind === "attempt" && !isIn(target) && otherIdsOf(said, { kind, id: target }).some(isIn);
  const isAskedOfLake = all.some((one) => one.kind === "tip" || one.kind === "verifier" || isElsewhere(one));
  const parts = isAskedOfLake ? await withLake(home, (lake) => readRevokedParts(lake, runs)) : [];
  const keys = new Set(parts.map(keyOf));
  for (const one of all) {
    const { kind, target } = one;
    const ids = otherIdsOf(said, { kind, id: target });
    const isReached =
      (kind === "run" && [target, ...ids].some((id) => runs.includes(id))) ||
      (kind === "attempt" && (isIn(target) || ids.some((id) => keys.has(keyOf({ kind, target: id })))));
    if (isReached) keys.add(keyOf(one));
  }
  return keys;
}

function keyOf({ kind, target }: Pick<Revocation, "kind" | "target">): string {
  return `${kind} ${target}`;
}

/** Tells the ledger of a dataset, once. */
export async function register(home: Home, datasetHash: Hash, clock: Clock): Promise<void> {
  for await (const entry of readLedger(home)) {
    if (entry.type === "dataset_registered" && entry.data.datasetHash === datasetHash) return;
  }
  appendLedger(home, { type: "dataset_registered", data: { datasetHash } }, clock);
}

/** Refuses runs that somebody asks for by name though they are revoked. Throws: `RUN_REVOKED`. */
export function refuseRevoked(home: Home, runs: readonly string[]): void {
  const ofRuns = revocations(home).filter(({ kind }) => kind === "run");
  const reasons = new Map(ofRuns.map(({ target, reason }) => [target, reason]));
  const revoked = runs.filter((run) => reasons.has(run));
  if (revoked.length === 0) return;
  const others = runs.filter((run) => !reasons.has(run));
  throw new Refusal({
    code: "RUN_REVOKED",
    message: "A run that is asked for is revoked, so that no example of it is to be relied on.",
    expected: "runs that are not revoked",
    got: revoked.map((run) => `${run}: ${reasons.get(run)}`).join("; "),
    fix:
      others.length > 0
        ? `--runs ${others.join(",")}`
        : "name other --runs, or leave it out; tracemill runs lists them",
  });
}
