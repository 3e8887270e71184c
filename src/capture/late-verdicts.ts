/**
 * Verdicts on attempts of runs that are sealed: the log is not touched, the ledger says them, and from then on the
 * latest one decides.
 */
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type AttemptId, attemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { LateVerdict } from "../records/ledger-entries.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Home } from "../store/home.ts";
import { appendEntries } from "../store/ledger.ts";
import { listRuns, type RunSummary, readRunLog } from "../store/run-log.ts";
import { foreignItemId } from "./foreign-item.ts";
import type { ReportedOutcome } from "./outcome.ts";
import { goOn } from "./recorded-run.ts";
import { openRunCounts, type RunCounts } from "./run-counts.ts";

export interface GivenVerdict {
  /** With or without the skill's name before it. */
  item: string;
  attempt: number;
  verdict: Verdict;
}

export interface Judged {
  run: RunId;
  given: AttemptId[];
  /** Verdicts on attempts that the run does not have, as `<item>/<attempt>`. */
  unmatched: string[];
}

/** The run of an id or of another program's name; of several with that name the latest. Throws: `UNKNOWN_RUN`. */
export async function runCalled(home: Home, name: string): Promise<RunSummary> {
  const runs = await listRuns(home);
  const found = runs.find(({ run }) => run === name) ?? runs.findLast(({ label }) => label === name);
  if (found !== undefined) return found;
  throw unknownName("run", name, [...runs.map(({ run }) => run), ...runs.flatMap(({ label }) => label ?? [])]);
}

/**
 * Tells the ledger verdicts on a sealed run's attempts, all at once; those on attempts that it does not have are returned.
 * Throws: `RUN_NOT_SEALED`, and as the ledger.
 */
export async function giveVerdicts(
  { home, clock }: { home: Home; clock: Clock },
  { run, skill, isSealed }: Pick<RunSummary, "run" | "skill" | "isSealed">,
  { verdicts, origin }: { verdicts: readonly GivenVerdict[]; origin: LateVerdict["origin"] },
): Promise<Judged> {
  checkSealed({ run, isSealed });
  const counts = await countsOf(home, run);
  const placed = verdicts.map(({ item, attempt, verdict }) => ({
    attempt: attemptId(run, foreignItemId(skill, item), attempt),
    verdict,
  }));
  const known = placed.filter(({ attempt }) => counts.knows(attempt));
  const unmatched = placed.filter(({ attempt }) => !counts.knows(attempt));
  if (known.length > 0) {
    const entries = known.map((given) => ({ type: "verdict_given" as const, data: { run, origin, ...given } }));
    appendEntries(home, entries, clock);
  }
  return {
    run,
    given: known.map(({ attempt }) => attempt),
    unmatched: unmatched.map(({ attempt }) => attempt.slice(run.length + 1)),
  };
}

/**
 * Says an outcome of a run that no proxy of this process has open: into its log where it can be gone on with, into the
 * ledger where it is sealed. Throws: `UNKNOWN_RUN`, `UNKNOWN_ATTEMPT`, `ATTEMPT_NOT_NAMED`, `LOCKED`, `NOT_RECORDED`.
 */
export async function giveOutcome(
  place: { home: Home; clock: Clock },
  { place: { run: name, item, attempt }, verdict }: ReportedOutcome,
): Promise<{ attempt: AttemptId; into: "log" | "ledger" }> {
  const run = await runCalled(place.home, name ?? "");
  const meant = { run: run.run, item: foreignItemId(run.skill, item ?? ""), attempt };
  if (run.isSealed) {
    const at = attemptMeant(await countsOf(place.home, run.run), meant);
    const data = { run: run.run, origin: "outcome" as const, attempt: at, verdict };
    appendEntries(place.home, [{ type: "verdict_given", data }], place.clock);
    return { attempt: at, into: "ledger" };
  }
  const { log, book, append } = await goOn(place, run.run);
  try {
    const at = attemptMeant(book, meant);
    append({ type: "verdict", data: { attempt: at, verdict } });
    return { attempt: at, into: "log" };
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
  if (attempt !== null) {
    const named = attemptId(run, item, attempt);
    if (!counts.knows(named)) throw unknownAttempt(named);
    return named;
  }
  const answered = all.filter((one) => counts.lastAnswer(one) !== null);
  const [meant, ...others] = answered.length > 0 ? answered : all;
  if (meant === undefined) throw unknownAttempt(`${run}/${item}`);
  if (others.length > 0) throw attemptNotNamed([meant, ...others]);
  return meant;
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
