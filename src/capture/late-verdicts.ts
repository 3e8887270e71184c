/**
 * Verdicts on attempts of runs that are sealed: the log is not touched, the ledger says them, and from then on the
 * latest one decides.
 */
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type AttemptId, attemptId, type RunId } from "../records/ids.ts";
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
 * ledger where it is sealed. Throws: `UNKNOWN_RUN`, `UNKNOWN_ATTEMPT`, `LOCKED`, `NOT_RECORDED`.
 */
export async function giveOutcome(
  place: { home: Home; clock: Clock },
  { place: { run: name, item, attempt }, verdict }: ReportedOutcome,
): Promise<{ attempt: AttemptId; into: "log" | "ledger" }> {
  const run = await runCalled(place.home, name ?? "");
  const at = attemptId(run.run, foreignItemId(run.skill, item ?? ""), attempt ?? 1);
  if (run.isSealed) {
    const verdicts = [{ item: item ?? "", attempt: attempt ?? 1, verdict }];
    const { given } = await giveVerdicts(place, run, { verdicts, origin: "outcome" });
    if (given.length === 0) throw unknownAttempt(at);
    return { attempt: at, into: "ledger" };
  }
  const { log, book, append } = await goOn(place, run.run);
  try {
    if (!book.knows(at)) throw unknownAttempt(at);
    append({ type: "verdict", data: { attempt: at, verdict } });
  } finally {
    log.close();
  }
  return { attempt: at, into: "log" };
}

export function unknownAttempt(attempt: AttemptId): Refusal {
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
