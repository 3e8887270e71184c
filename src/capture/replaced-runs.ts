/**
 * Finds imports that another import of the same source holds whole: a session or a log grows while its program goes on, and
 * is imported again, or what a database remembers of a run is followed by the run's own log. Nothing is guessed from names
 * alone: the other run has to have every attempt and every answer, and an outcome of each attempt that has one here; of such
 * a memory it has to have every attempt.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import type { Clock } from "../foundation/clock.ts";
import { groupBy } from "../foundation/group-by.ts";
import { attemptParts, nativeIdOf, type RunId } from "../records/ids.ts";
import type { LateVerdict, LedgerEntry } from "../records/ledger-entries.ts";
import { isDeterministic, type Verdict } from "../records/verdict.ts";
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

/** Attempts as `<item>/<n>`, the item without its skill, and what was said in them by its hashes. */
interface Content {
  skill: string;
  /** Items with what they ask for. */
  tasks: Set<string>;
  attempts: Set<string>;
  answers: Set<string>;
  /** An answer with the message before it. */
  exchanges: Set<string>;
  /** Answers whose prompts are not known whole, for which the answer alone has to do. */
  unasked: Set<string>;
  /** Attempts that were judged, with who did: a check, a model or a person. */
  outcomes: Set<string>;
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
    for (const other of imports.filter((another) => another.run !== one.run && areOfOneSource(one, another, joined))) {
      const isAskedBack = covered.get(one.run) === other.run && !runs.includes(other.run);
      if (covered.has(other.run) || (covered.has(one.run) && !isAskedBack)) continue;
      const [mine, its] = [await contentOf(home, one, joined), await contentOf(home, other, joined)];
      if (!holds(mine, its) && (isAskedBack || !holds(its, mine))) continue;
      const [{ run, skill }, { run: replaced }] = holds(mine, its) ? [one, other] : [other, one];
      const data = { run, replaced, ...(one.skill !== other.skill && { skill }) };
      const verdicts = carriedVerdicts(home, data);
      appendEntries(home, [{ type: "run_replaced", data }, ...verdicts], clock);
      covered = coveredRuns(home);
      found.push({ run, replaced, verdicts: verdicts.length });
    }
  }
  return found;
}

/** A joined run may be about something else than the log alone: it is about what the recorded run is about. */
function areOfOneSource(one: RunSummary, other: RunSummary, joined: ReadonlySet<RunId>): boolean {
  if (one.source === null || other.source === null) return false;
  if (one.skill !== other.skill && !joined.has(one.run) && !joined.has(other.run)) return false;
  if (one.source.format !== other.source.format) return false;
  return namesOf(one).has(other.source.nativeId) || namesOf(other).has(one.source.nativeId);
}

function namesOf({ source }: RunSummary): Set<string> {
  return new Set(source === null ? [] : [source.nativeId, ...source.aliases]);
}

function holds(mine: Content, its: Content): boolean {
  const has = (all: ReadonlySet<string>, some: ReadonlySet<string>) => [...some].every((one) => all.has(one));
  if (its.attempts.size === 0 || !has(mine.attempts, its.attempts)) return false;
  if (mine.skill !== its.skill && !has(mine.tasks, its.tasks)) return false;
  if (mine.isJoined !== its.isJoined) return mine.isJoined; // no log alone holds what was recorded
  if (mine.nativeId !== its.nativeId) return mine.names.has(its.nativeId);
  return has(mine.exchanges, its.exchanges) && has(mine.answers, its.unasked) && has(mine.outcomes, its.outcomes);
}

async function contentOf(home: Home, summary: RunSummary, joined: ReadonlySet<RunId>): Promise<Content> {
  const sets = {
    tasks: new Set<string>(),
    attempts: new Set<string>(),
    answers: new Set<string>(),
    exchanges: new Set<string>(),
    unasked: new Set<string>(),
    outcomes: new Set<string>(),
  };
  const names = { nativeId: summary.source?.nativeId ?? "", names: namesOf(summary) };
  const isJoined = joined.has(summary.run);
  const content: Content = { ...sets, ...names, isJoined, skill: summary.skill };
  for await (const { type, data } of readRunLog(home, summary.run)) {
    if (type === "items_scanned")
      for (const one of data.items) content.tasks.add(`${nativeIdOf(one.item)} ${one.task}`);
    if (type !== "turn" && type !== "verdict" && type !== "patch_left") continue;
    const parts = attemptParts(data.attempt);
    const [item, n] = [nativeIdOf(parts.item), parts.n];
    content.attempts.add(`${item}/${n}`);
    if (type === "verdict") content.outcomes.add(`${item}/${n} ${judgeOf(data.verdict)}`);
    if (type !== "turn") continue;
    const { messages, response, missing = [] } = data;
    const answer = `${item}/${n} ${response}`;
    content.answers.add(answer);
    if (missing.includes("prompt")) content.unasked.add(answer);
    else content.exchanges.add(`${answer} ${messages.at(-1)}`);
  }
  return content;
}

/** Another run of the same check may say more, or something else: whether there is one is what counts. */
function judgeOf(verdict: Verdict): string {
  return isDeterministic(verdict) ? "check" : verdict.signalType;
}

/** What was said later of the one, and is not said of the other yet: it may have had the same said of it before. */
function carriedVerdicts(
  home: Home,
  { run, replaced, skill = null }: { run: RunId; replaced: RunId; skill?: string | null },
): LedgerEntry[] {
  const late = groupBy(lateVerdicts(home), ({ attempt }) => attempt);
  return [...late].flatMap(([attempt, its]) => {
    if (attemptParts(attempt).run !== replaced) return [];
    const meant = attemptIn({ run, skill }, attempt);
    const mine = late.get(meant) ?? [];
    const first = its.findIndex((verdict, i) => mine[i] === undefined || !areSame(verdict, mine[i]));
    if (first === -1) return [];
    return its.slice(first).map(({ origin, verdict }) => ({
      type: "verdict_given",
      data: { run, attempt: meant, origin, verdict },
    }));
  });
}

function areSame(one: LateVerdict, other: LateVerdict): boolean {
  return one.origin === other.origin && canonicalJson(one.verdict) === canonicalJson(other.verdict);
}
