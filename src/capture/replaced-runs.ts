/**
 * Finds imports that another import of the same source holds whole: a session or a log grows while its program goes on, and
 * is imported again, or what a database remembers of a run is followed by the run's own log. Nothing is guessed from names
 * alone: the other run has to have every attempt and every answer, and of such a memory every attempt.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import type { Clock } from "../foundation/clock.ts";
import { groupBy } from "../foundation/group-by.ts";
import { attemptParts, type RunId } from "../records/ids.ts";
import type { LateVerdict, LedgerEntry } from "../records/ledger-entries.ts";
import type { Home } from "../store/home.ts";
import { appendEntries, attemptIn, coveredRuns, coverings, lateVerdicts } from "../store/ledger.ts";
import { listRuns, type RunSummary, readRunLog } from "../store/runs.ts";

export interface ReplacedRun {
  /** Holds all of `replaced`. */
  run: RunId;
  replaced: RunId;
  /** How many verdicts that were given to it later hold for `run` now. */
  verdicts: number;
}

/** Attempts as `<item>/<n>`, and what was said in them by its hashes. */
interface Content {
  attempts: Set<string>;
  answers: Set<string>;
  /** An answer with the message before it. */
  exchanges: Set<string>;
  /** Answers whose prompts are not known whole, for which the answer alone has to do. */
  unasked: Set<string>;
  nativeId: string;
  /** All that the run is called, other programs' names for it among them. */
  names: ReadonlySet<string>;
  /** Whether a recording gave it whole answers where its log has cut ones. */
  isJoined: boolean;
}

/**
 * Tells the ledger which of a source's imports are held whole by another one, and says their late verdicts of that one; of two
 * that hold each other the one named in `runs` stays, also where it had been replaced by the other. Throws: as `listRuns`,
 * `readRunLog` and the ledger.
 */
export async function noteReplaced(
  { home, clock }: { home: Home; clock: Clock },
  runs: readonly RunId[],
): Promise<ReplacedRun[]> {
  const imports = (await listRuns(home)).filter(({ source, isSealed }) => source !== null && isSealed);
  const joined = new Set(coverings(home).flatMap(({ run, hasSameAttempts }) => (hasSameAttempts ? [] : [run])));
  let covered = coveredRuns(home);
  const found: ReplacedRun[] = [];
  for (const one of imports.filter(({ run }) => runs.includes(run))) {
    for (const other of imports.filter((another) => another.run !== one.run && areOfOneSource(one, another))) {
      const isAskedBack = covered.get(one.run) === other.run && !runs.includes(other.run);
      if (covered.has(other.run) || (covered.has(one.run) && !isAskedBack)) continue;
      const [mine, its] = [await contentOf(home, one, joined), await contentOf(home, other, joined)];
      if (!holds(mine, its) && (isAskedBack || !holds(its, mine))) continue;
      const [run, replaced] = holds(mine, its) ? [one.run, other.run] : [other.run, one.run];
      const verdicts = carriedVerdicts(home, { run, replaced });
      appendEntries(home, [{ type: "run_replaced", data: { run, replaced } }, ...verdicts], clock);
      covered = coveredRuns(home);
      found.push({ run, replaced, verdicts: verdicts.length });
    }
  }
  return found;
}

function areOfOneSource(one: RunSummary, other: RunSummary): boolean {
  if (one.source === null || other.source === null || one.skill !== other.skill) return false;
  if (one.source.format !== other.source.format) return false;
  return namesOf(one).has(other.source.nativeId) || namesOf(other).has(one.source.nativeId);
}

function namesOf({ source }: RunSummary): Set<string> {
  return new Set(source === null ? [] : [source.nativeId, ...source.aliases]);
}

function holds(mine: Content, its: Content): boolean {
  const has = (all: ReadonlySet<string>, some: ReadonlySet<string>) => [...some].every((one) => all.has(one));
  if (its.attempts.size === 0 || !has(mine.attempts, its.attempts)) return false;
  if (mine.isJoined !== its.isJoined) return mine.isJoined; // no log alone holds what was recorded
  if (mine.nativeId !== its.nativeId) return mine.names.has(its.nativeId);
  return has(mine.exchanges, its.exchanges) && has(mine.answers, its.unasked);
}

async function contentOf(home: Home, summary: RunSummary, joined: ReadonlySet<RunId>): Promise<Content> {
  const sets = { attempts: new Set<string>(), answers: new Set<string>(), exchanges: new Set<string>() };
  const names = { nativeId: summary.source?.nativeId ?? "", names: namesOf(summary) };
  const content: Content = { ...sets, ...names, unasked: new Set(), isJoined: joined.has(summary.run) };
  for await (const { type, data } of readRunLog(home, summary.run)) {
    if (type !== "turn" && type !== "verdict" && type !== "patch_left") continue;
    const { item, n } = attemptParts(data.attempt);
    content.attempts.add(`${item}/${n}`);
    if (type !== "turn") continue;
    const { messages, response, missing = [] } = data;
    const answer = `${item}/${n} ${response}`;
    content.answers.add(answer);
    if (missing.includes("prompt")) content.unasked.add(answer);
    else content.exchanges.add(`${answer} ${messages.at(-1)}`);
  }
  return content;
}

/** What was said later of the one, and is not said of the other yet: it may have had the same said of it before. */
function carriedVerdicts(home: Home, { run, replaced }: { run: RunId; replaced: RunId }): LedgerEntry[] {
  const late = groupBy(lateVerdicts(home), ({ attempt }) => attempt);
  return [...late].flatMap(([attempt, its]) => {
    if (attemptParts(attempt).run !== replaced) return [];
    const mine = late.get(attemptIn(run, attempt)) ?? [];
    const first = its.findIndex((verdict, i) => mine[i] === undefined || !areSame(verdict, mine[i]));
    return first === -1 ? [] : its.slice(first).map((verdict) => said(verdict, run));
  });
}

function areSame(one: LateVerdict, other: LateVerdict): boolean {
  return one.origin === other.origin && canonicalJson(one.verdict) === canonicalJson(other.verdict);
}

function said({ attempt, origin, verdict }: LateVerdict, run: RunId): LedgerEntry {
  return { type: "verdict_given", data: { run, attempt: attemptIn(run, attempt), origin, verdict } };
}
