/**
 * Verdicts on attempts of runs that are sealed: the log is not touched, the ledger says them, and they count as later
 * than those of the log.
 */
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { LateVerdict, LedgerEntry } from "../records/ledger-entries.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Home } from "../store/home.ts";
import { appendEntries, coveredRuns } from "../store/ledger.ts";
import { listRuns, type RunSummary, readRunLog } from "../store/runs.ts";
import { foreignItemId } from "./foreign-item.ts";
import type { ReportedOutcome } from "./outcome.ts";
import { goOn } from "./recorded-run.ts";
import { openRunCounts, type RunCounts } from "./run-counts.ts";

export interface GivenVerdict {
  /** With or without the skill's name before it. */
  item: string;
  /** Null: the only one that was answered. */
  attempt: number | null;
  verdict: Verdict;
}

export interface Judged {
  run: RunId;
  given: AttemptId[];
  /** Verdicts on attempts that the run does not have, as `<item>/<attempt>`, or as the item where they name no attempt. */
  unmatched: string[];
  /** Items of verdicts that do not say which of several attempts they are on. */
  ambiguous: string[];
}

/** The run of an id; of another program's name the one that stands for the latest run of that name now. Throws: `UNKNOWN_RUN`. */
export async function runCalled(home: Home, name: string): Promise<RunSummary> {
  const runs = await listRuns(home);
  const named = runs.findLast(({ label }) => label === name)?.run;
  const called = runs.some(({ run }) => run === name) ? name : named && (coveredRuns(home).get(named) ?? named);
  const found = runs.find(({ run }) => run === called);
  if (found !== undefined) return found;
  throw unknownName("run", name, [...runs.map(({ run }) => run), ...runs.flatMap(({ label }) => label ?? [])]);
}

/** A run that is judged. */
export interface JudgedRun {
  run: RunSummary;
  /** What was named, where this run stands for it now; null where it is what was named. */
  insteadOf: string | null;
}

/** The run that verdicts on the one of an id or name belong to: where another one stands for it now, that one. Throws: `UNKNOWN_RUN`. */
export async function judgedRun(home: Home, name: string): Promise<JudgedRun> {
  const named = await runCalled(home, name);
  const run = await runCalled(home, coveredRuns(home).get(named.run) ?? named.run);
  return { run, insteadOf: name === run.run || name === run.label ? null : name };
}

/**
 * Tells the ledger verdicts on a sealed run's attempts, all at once; those whose attempt it does not have, or which may be on
 * several, are returned.
 * Throws: `RUN_NOT_SEALED`, and as the ledger.
 */
export async function giveVerdicts(
  { home, clock }: { home: Home; clock: Clock },
  { run, skill, isSealed }: Pick<RunSummary, "run" | "skill" | "isSealed">,
  { verdicts, origin }: { verdicts: readonly GivenVerdict[]; origin: LateVerdict["origin"] },
): Promise<Judged> {
  checkSealed({ run, isSealed });
  const counts = await countsOf(home, run);
  const attemptsAt = groupBy(counts.attempts(), (attempt) => attemptParts(attempt).item);
  const judged: Judged = { run, given: [], unmatched: [], ambiguous: [] };
  const entries: LedgerEntry[] = [];
  for (const { item: name, attempt, verdict } of verdicts) {
    const item = foreignItemId(skill, name);
    const [meant, ...others] = attemptsMeant(counts, attemptsAt.get(item) ?? [], attempt);
    if (meant === undefined) judged.unmatched.push(attempt === null ? item : `${item}/${attempt}`);
    else if (others.length > 0) judged.ambiguous.push(item);
    else {
      judged.given.push(meant);
      entries.push({ type: "verdict_given", data: { run, origin, attempt: meant, verdict } });
    }
  }
  if (entries.length > 0) appendEntries(home, entries, clock);
  return judged;
}

export interface GivenOutcome extends Pick<JudgedRun, "insteadOf"> {
  attempt: AttemptId;
  into: "log" | "ledger";
}

/**
 * Says an outcome of a run that no proxy of this process has open: into its log where it can be gone on with, into the
 * ledger where it is sealed. Throws: `UNKNOWN_RUN`, `UNKNOWN_ATTEMPT`, `ATTEMPT_NOT_NAMED`, `LOCKED`, `NOT_RECORDED`.
 */
export async function giveOutcome(
  place: { home: Home; clock: Clock },
  { place: { run: name, item, attempt }, verdict }: ReportedOutcome,
): Promise<GivenOutcome> {
  const { run, insteadOf } = await judgedRun(place.home, name ?? "");
  const meant = { run: run.run, item: foreignItemId(run.skill, item ?? ""), attempt };
  if (run.isSealed) {
    const at = attemptMeant(await countsOf(place.home, run.run), meant);
    const data = { run: run.run, origin: "outcome" as const, attempt: at, verdict };
    appendEntries(place.home, [{ type: "verdict_given", data }], place.clock);
    return { attempt: at, into: "ledger", insteadOf };
  }
  const { log, book, append } = await goOn(place, run.run);
  try {
    const at = attemptMeant(book, meant);
    append({ type: "verdict", data: { attempt: at, verdict } });
    return { attempt: at, into: "log", insteadOf };
  } finally {
    log.close();
  }
}

/**
 * The attempt at an item that an outcome is of: the named one, else the only one that was answered, or the only one that there is.
 * Throws: `UNKNOWN_ATTEMPT`; `ATTEMPT_NOT_NAMED` where it may be several.
 */
export function attemptMeant(
  counts: RunCounts,
  { run, item, attempt }: { run: RunId; item: ItemId; attempt: number | null },
): AttemptId {
  const all = counts.attempts().filter((one) => attemptParts(one).item === item);
  const [meant, ...others] = attemptsMeant(counts, all, attempt);
  if (meant === undefined) throw unknownAttempt(attempt === null ? `${run}/${item}` : attemptId(run, item, attempt));
  if (others.length > 0) throw attemptNotNamed([meant, ...others]);
  return meant;
}

/** Of the attempts at an item those that may be meant by a number, or by none. */
function attemptsMeant(counts: RunCounts, all: readonly AttemptId[], attempt: number | null): readonly AttemptId[] {
  if (attempt !== null) return all.filter((one) => attemptParts(one).n === attempt);
  const answered = all.filter((one) => counts.lastAnswer(one) !== null);
  return answered.length > 0 ? answered : all;
}

function attemptNotNamed(attempts: readonly AttemptId[]): Refusal {
  return new Refusal({
    code: "ATTEMPT_NOT_NAMED",
    message: "There are several attempts at this item.",
    expected: "the number of the one that this is the outcome of",
    got: `attempts ${attempts.map((one) => attemptParts(one).n).join(", ")}`,
  });
}

function unknownAttempt(attempt: string): Refusal {
  return new Refusal({
    code: "UNKNOWN_ATTEMPT",
    message: "No call of this attempt was recorded.",
    expected: "run, item and attempt as the calls named them",
    got: attempt,
  });
}

/** What a run's log holds, folded. */
export async function countsOf(home: Home, run: RunId): Promise<RunCounts> {
  const counts = openRunCounts(run);
  for await (const event of readRunLog(home, run)) counts.take(event);
  return counts;
}

/** Throws: `RUN_NOT_SEALED`. */
export function checkSealed({ run, isSealed }: Pick<RunSummary, "run" | "isSealed">): void {
  if (isSealed) return;
  throw new Refusal({
    code: "RUN_NOT_SEALED",
    message: `The run ${run} is not sealed: what comes of its attempts belongs into its log.`,
    expected: "a sealed run",
    got: run,
    fix: `POST it to the proxy that records the run, or seal it first: tracemill seal ${run}`,
  });
}
