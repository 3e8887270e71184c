/**
 * Asks a skill's verifier once more: replays recorded actions, each on the state that its attempt began with, and compares. What
 * it says now goes into the ledger. Where the same version said something else then, the attempt has a conflict until it is resolved;
 * what another version says decides, as it was made to say something else. What someone else said late (`outcome`, `label`) stands:
 * the answer is then only compared with it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import type { Action, RunStarted } from "../records/events.ts";
import { type AttemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { LateVerdict } from "../records/ledger-entries.ts";
import { isDeciding, isDeterministic, type Verdict, type Verifier } from "../records/verdict.ts";
import { atBoundary } from "../skills/at-boundary.ts";
import type { Skill } from "../skills/contract.ts";
import { isDeferrable, verified } from "../skills/verified.ts";
import type { Home } from "../store/home.ts";
import { appendEntries, lateVerdicts, revocations } from "../store/ledger.ts";
import { readRunLog } from "../store/runs.ts";

export interface ReverifyOptions {
  home: Home;
  clock: Clock;
  run: RunId;
  skill: Skill;
  /** Share of the attempts that is asked about, drawn by the run's name; 1 is all of them. */
  sampleFraction: number;
  /** Only attempts that another version of the verifier judged. */
  isOutdatedOnly: boolean;
  /** Only says which attempts it would ask about. */
  isDryRun?: boolean;
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface ReverifyReport {
  run: RunId;
  /** The verifier as it is now; null where nothing was asked. */
  verifier: Verifier | null;
  /** Verifiers of the verdicts so far, with how many each gave. */
  recordedBy: { verifier: Verifier; attempts: number }[];
  agreement: Agreement;
  /** The attempts that it was to ask about, each with the verifier that judged it so far. */
  chosen: { attempt: AttemptId; verifier: Verifier }[];
  /** Attempts that would be asked about and have no action that a replay could take, each with the verifier that judged it. */
  notReplayable: { attempt: AttemptId; verifier: Verifier }[];
  /** Attempts of which one version of the verifier said two things. */
  conflicts: AttemptId[];
  /** Attempts of which the verifier says something else than their outcome or label, with who said that: it stands. */
  contradicted: { attempt: AttemptId; verifier: Verifier }[];
  /** Attempts that could not be asked about, with why. */
  left: { attempt: AttemptId; reason: string }[];
}

/** Attempts by what was said then and now. */
export interface Agreement {
  bothPassed: number;
  bothFailed: number;
  passedThen: number;
  passedNow: number;
}

interface Recorded {
  start: RunStarted;
  items: Map<ItemId, Item>;
  /** In the order in which they were made. */
  actions: Map<AttemptId, Action>;
  /** The one that decides so far. */
  verdicts: Map<AttemptId, Given>;
  /** Attempts after which the state was kept: later ones began with it. */
  kept: Set<AttemptId>;
}

interface Given {
  verdict: Verdict;
  origin: LateVerdict["origin"] | "log";
}

/** What `tracemill run --agent` calls the work of an agent that had a folder. */
const IN_FOLDER = "agent";

/**
 * Asks again. What was asked is kept, also where the rest is not asked any more.
 * Throws: `VERIFIER_REVOKED`; what reading the log throws; the reason of the signal where that was aborted.
 */
export async function reverify(options: ReverifyOptions): Promise<ReverifyReport> {
  const { home, clock, run, skill, signal } = options;
  refuseRevoked(home, skill);
  const recorded = await readRecorded(home, run);
  const judged = chosen(recorded, options);
  const asked = new Set(judged.filter((attempt) => isReplayable(recorded, attempt)));
  const judgedBy = (attempt: AttemptId) => ({
    attempt,
    verifier: (recorded.verdicts.get(attempt) as Given).verdict.verifier,
  });
  const report: ReverifyReport = {
    ...{ run, verifier: null, conflicts: [], contradicted: [], left: [] },
    recordedBy: countVerifiers([...recorded.verdicts.values()].map(({ verdict }) => verdict)),
    agreement: { bothPassed: 0, bothFailed: 0, passedThen: 0, passedNow: 0 },
    chosen: [...asked].map(judgedBy),
    notReplayable: judged.filter((attempt) => !asked.has(attempt)).map(judgedBy),
  };
  if (options.isDryRun) return report;
  const folder = await mkdtemp(join(tmpdir(), "tracemill-reverify-"));
  let state: string | null = null;
  /** Why the state that the next attempts began with cannot be had any more. */
  let lost: string | null = null;
  let done = 0;
  try {
    for (const [attempt, action] of recorded.actions) {
      signal.throwIfAborted();
      const isAsked = asked.has(attempt);
      // What was kept has to be made anew for those that began with it.
      if (!isAsked && !recorded.kept.has(attempt)) continue;
      const item = recorded.items.get(attemptParts(attempt).item);
      const then = recorded.verdicts.get(attempt);
      if (item === undefined || then === undefined) continue;
      try {
        if (lost !== null) throw stateLost(lost);
        const replayed = await replay(skill, {
          item,
          action,
          place: { folder, from: state },
          keeps: recorded.kept.has(attempt),
        });
        state = replayed.state ?? state;
        if (!isAsked) continue;
        const entries = compare(report, { attempt, then, now: replayed.verdict });
        if (entries.length > 0) appendEntries(home, entries, clock);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (isAsked) report.left.push({ attempt, reason: error.message });
        if (recorded.kept.has(attempt)) lost ??= `${attempt}: ${error.message}`;
      }
      if (isAsked) options.onProgress?.(++done, asked.size);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return report;
}

function stateLost(why: string): Failure {
  const message = `the state that it began with could not be made anew, after ${why}`;
  return new Failure({ boundary: "environment", code: "STATE_LOST", message });
}

async function replay(
  skill: Skill,
  given: { item: Item; action: Action; place: { folder: string; from: string | null }; keeps: boolean },
): Promise<{ verdict: Verdict; state: string | null }> {
  const { item, place, keeps } = given;
  const { call } = given.action;
  const workspace = await atBoundary("workspace", () => skill.open(item, place));
  try {
    await atBoundary("workspace", () => workspace.act(call));
    let verdict = await verified(workspace, call, { call });
    if (isDeferrable(skill, verdict)) {
      await atBoundary("workspace", async () => workspace.settle?.());
      verdict = await verified(workspace, call, { call });
    }
    return { verdict, state: keeps ? await atBoundary("workspace", () => workspace.checkpoint()) : null };
  } finally {
    await atBoundary("workspace", () => workspace.close());
  }
}

async function readRecorded(home: Home, run: RunId): Promise<Recorded> {
  const verdicts: Recorded["verdicts"] = new Map();
  const recorded = { items: new Map(), actions: new Map(), verdicts, kept: new Set<AttemptId>() };
  const give = (attempt: AttemptId, given: Given) => {
    if (isDeciding(given.verdict, verdicts.get(attempt)?.verdict ?? null)) verdicts.set(attempt, given);
  };
  let start: RunStarted | null = null;
  for await (const event of readRunLog(home, run)) {
    if (event.type === "run_started") start = event.data;
    else if (event.type === "items_scanned") for (const item of event.data.items) recorded.items.set(item.item, item);
    else if (event.type === "action") recorded.actions.set(event.data.attempt, event.data);
    else if (event.type === "checkpoint") recorded.kept.add(event.data.attempt);
    else if (event.type === "verdict") give(event.data.attempt, { verdict: event.data.verdict, origin: "log" });
  }
  const revoked = revokedVerifiers(home);
  for (const { attempt, origin, verdict } of lateVerdicts(home)) {
    const isHeld = origin === "reverify" || !revoked.has(nameOf(verdict.verifier));
    if (verdicts.has(attempt) && isHeld) give(attempt, { verdict, origin });
  }
  return { ...recorded, start: start as unknown as RunStarted };
}

function revokedVerifiers(home: Home): Set<string> {
  return new Set(revocations(home).flatMap(({ kind, target }) => (kind === "verifier" ? [target] : [])));
}

/** What a revoked verifier says counts nowhere, so it is not asked. */
function refuseRevoked(home: Home, { manifest: { verifier } }: Skill): void {
  if (verifier === undefined || !revokedVerifiers(home).has(nameOf(verifier))) return;
  throw new Refusal({
    code: "VERIFIER_REVOKED",
    message: "The skill's verifier is revoked: what it says counts nowhere.",
    expected: `another version of ${verifier.id} than ${verifier.version}`,
    got: nameOf(verifier),
    fix: "mend the verifier and give it a new version; it judges again by the same command then",
  });
}

/** The attempts to ask about: in the order of their actions, then those without one. */
function chosen(
  { actions, verdicts }: Recorded,
  { sampleFraction, isOutdatedOnly, skill }: ReverifyOptions,
): AttemptId[] {
  const current = skill.manifest.verifier;
  const isOutdated = (attempt: AttemptId) => {
    const given = verdicts.get(attempt);
    if (current === undefined || given === undefined || isSettled(given, current)) return false;
    return !isSame(given.verdict.verifier, current);
  };
  return [...new Set([...actions.keys(), ...verdicts.keys()])].filter(
    (attempt) =>
      verdicts.has(attempt) &&
      (!isOutdatedOnly || isOutdated(attempt)) &&
      random("reverify", attempt).next() < sampleFraction,
  );
}

/** An action is the skill's own where the skill read it from an answer; what an agent did in a folder is none. */
function isReplayable({ start, actions }: Recorded, attempt: AttemptId): boolean {
  const { command } = start.config;
  const name = actions.get(attempt)?.call.name;
  return name !== undefined && isReplayableRun(command) && (command !== "agent" || name !== IN_FOLDER);
}

/** Whether the actions of runs that this command made are those of their skill. */
export function isReplayableRun(command: unknown): boolean {
  return command !== "record" && command !== "import";
}

/** Takes an answer into the report; returns what the ledger is to say of it. */
function compare(
  report: ReverifyReport,
  { attempt, then, now }: { attempt: AttemptId; then: Given; now: Verdict },
): { type: "verdict_given"; data: LateVerdict }[] {
  report.verifier = now.verifier;
  const { agreement } = report;
  const { passed, verifier } = then.verdict;
  if (passed && now.passed) agreement.bothPassed++;
  else if (passed) agreement.passedThen++;
  else if (now.passed) agreement.passedNow++;
  else agreement.bothFailed++;
  if (isSettled(then, now.verifier)) {
    if (passed !== now.passed) report.contradicted.push({ attempt, verifier });
    return [];
  }
  const isInConflict = isConflict(then.verdict, now);
  if (isInConflict) report.conflicts.push(attempt);
  const flags = isInConflict ? [...new Set([...now.flags, "conflict" as const])] : now.flags;
  const data = { run: report.run, attempt, origin: "reverify" as const, verdict: { ...now, flags } };
  return [{ type: "verdict_given", data }];
}

/** Whether someone else than the verifier said late what decides: no check of the verifier's undoes that. */
function isSettled({ verdict, origin }: Given, { id }: Verifier): boolean {
  return (origin === "outcome" || origin === "label") && isDeterministic(verdict) && verdict.verifier.id !== id;
}

function isConflict(then: Verdict, now: Verdict): boolean {
  return then.passed !== now.passed && isSame(then.verifier, now.verifier);
}

function isSame(one: Verifier, other: Verifier): boolean {
  return one.id === other.id && one.version === other.version;
}

function nameOf({ id, version }: Verifier): string {
  return `${id}@${version}`;
}

function countVerifiers(verdicts: Iterable<Verdict>): ReverifyReport["recordedBy"] {
  const counts = new Map<string, { verifier: Verifier; attempts: number }>();
  for (const { verifier } of verdicts) {
    const count = counts.get(nameOf(verifier)) ?? { verifier, attempts: 0 };
    counts.set(nameOf(verifier), count);
    count.attempts++;
  }
  return [...counts.values()].sort((a, b) => b.attempts - a.attempts);
}
