/**
 * The tips of one skill with all that the sealed runs and the ledger say of them: what `tracemill tips` shows and judges.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import { nearest } from "../foundation/nearest.ts";
import { type CreditedTip, type CreditOptions, creditedTips } from "../harness/index.ts";
import type { RunId, TipId } from "../records/ids.ts";
import type { CreditRule } from "../statistics/tip-credit.ts";
import type { Home } from "../store/home.ts";
import { type Lake, withLake } from "../store/lake.ts";
import { listRuns } from "../store/runs.ts";
import { chosenRuns } from "./chosen-runs.ts";

export interface TipEntry extends CreditedTip {
  /** Tips that say the same and were merged into it, with where they were learnt. */
  merged: { tip: TipId; attempt: string | null }[];
}

export interface TipBook {
  skill: string;
  /** Whose draws are counted, oldest first. */
  runs: RunId[];
  unsealedRuns: RunId[];
  missingRuns: RunId[];
  /** Oldest first. */
  tips: TipEntry[];
}

export interface BookOptions {
  skill?: string | undefined;
  runs?: readonly string[] | undefined;
  rule: CreditRule;
}

/**
 * Reads the tips of a skill, or of each skill that has runs; where runs are named, those that these saved or retrieved.
 * Throws: `UNKNOWN_SKILL`, `UNKNOWN_RUN`, `NO_RUNS`, `RUN_NOT_SEALED`, and as `openLake`.
 */
export async function readTipBooks(home: Home, { skill, runs: named, rule }: BookOptions): Promise<TipBook[]> {
  const skills = skill !== undefined ? [skill] : await skillsOf(home, named);
  const chosen = await Promise.all(skills.map(async (one) => ({ one, ...(await chosenRuns(home, [one], named)) })));
  if (chosen.length === 0) return [];
  return withLake(home, async (lake) => {
    const books: TipBook[] = [];
    for (const { one, runs, unsealed, missing } of chosen) {
      const ids = runs.map(({ run }) => run);
      const tips = await entriesOf(lake, { skill: one, runs: ids, isOfRuns: named !== undefined, rule });
      books.push({ skill: one, runs: ids, unsealedRuns: unsealed, missingRuns: missing, tips });
    }
    return books;
  });
}

/**
 * Finds a tip by its id, or by the first digits of it that no other tip has.
 * Throws: `UNKNOWN_TIP` with the nearest ids and the runs that were not looked at.
 */
export function findTip(books: readonly TipBook[], name: string): { book: TipBook; entry: TipEntry } {
  const all = books.flatMap((book) => book.tips.map((entry) => ({ book, entry })));
  const exact = all.find(({ entry }) => entry.tip === name);
  const begun = all.filter(({ entry }) => entry.tip.startsWith(name));
  const [found] = exact !== undefined ? [exact] : begun.length === 1 ? begun : [];
  if (found !== undefined) return found;
  const close = nearest(
    name,
    all.map(({ entry }) => entry.tip),
  );
  const unsealed = books.flatMap(({ unsealedRuns }) => unsealedRuns);
  throw new Refusal({
    code: "UNKNOWN_TIP",
    message: begun.length > 1 ? `${begun.length} tips begin with "${name}".` : `There is no tip "${name}".`,
    expected: `the id of one of the ${counted(all.length, "tip")} of ${counted(books.flatMap(({ runs }) => runs).length, "sealed run")}`,
    got: `"${name}"`,
    ...(unsealed.length > 0 && { where: `not looked at, as not sealed: ${unsealed.join(", ")}` }),
    fix: close.length > 0 ? `did you mean ${close.map((tip) => `"${tip}"`).join(" or ")}?` : "tracemill tips list",
  });
}

/** Without a name every skill that has a sealed run; runs that are named bring their own skills along. */
async function skillsOf(home: Home, named: readonly string[] | undefined): Promise<string[]> {
  const runs = await listRuns(home);
  const relevant = runs.filter(({ run, isSealed, split }) =>
    named === undefined ? isSealed && split !== "test" : named.includes(run),
  );
  const skills = [...new Set(relevant.map(({ skill }) => skill))].sort();
  // A name that no run has is refused by whoever looks the runs up.
  return skills.length === 0 && named !== undefined ? [runs[0]?.skill ?? "sql"] : skills;
}

async function entriesOf(lake: Lake, asked: CreditOptions): Promise<TipEntry[]> {
  const tips = await creditedTips(lake, asked);
  const merged = groupBy(
    tips.filter(({ retired }) => retired?.mergedInto),
    ({ retired }) => retired?.mergedInto,
  );
  return tips.map((entry) => ({
    ...entry,
    merged: (merged.get(entry.tip) ?? []).map(({ tip, source }) => ({ tip, attempt: source.attempt })),
  }));
}
