/** Joins selections to one that a dataset can be written of. */
import { sumOf } from "../foundation/sums.ts";
import { refusalTally } from "../records/refusal-tally.ts";
import { NOT_SCRUBBED, type Part, type SelectedRow, type Selection } from "../records/selection.ts";
import { rowRank } from "./row-rank.ts";

/**
 * Returns a selection of the rows of all, each of which has its own in the order that `seed` gives, in that order; what
 * each counted is added up, a clause that several filters have being one. To be closed instead of them. Of none it is a
 * selection of nothing.
 */
export function joinedSelections(selections: readonly Selection[], seed: number): Selection {
  const refusals = refusalTally();
  const clauses = new Map<string, ReturnType<typeof refusalTally>>();
  for (const selection of selections) {
    for (const { reason, count, examples } of selection.refusals.counts()) refusals.add(reason, examples, count);
    for (const { clause, count, examples } of selection.clauses) {
      const tally = clauses.get(clause) ?? refusalTally();
      tally.add("filter", examples, count);
      clauses.set(clause, tally);
    }
  }
  const rowsOf = (part: Part) => sumOf(selections, ({ chosen }) => chosen[part]);
  return {
    examples: sumOf(selections, ({ examples }) => examples),
    chosen: { train: rowsOf("train"), validation: rowsOf("validation") },
    clauses: [...clauses].map(([clause, tally]) => {
      const { count = 0, examples = [] } = tally.counts()[0] ?? {};
      return { clause, count, examples };
    }),
    duplicates: selections.flatMap(({ duplicates }) => duplicates),
    refusals,
    scrub: NOT_SCRUBBED,
    rows: () => merged(selections, seed),
    close() {
      for (const selection of selections) selection.close();
    },
  };
}

/** Holds one row of each selection. */
async function* merged(selections: readonly Selection[], seed: number): AsyncGenerator<SelectedRow> {
  const [first, ...others] = selections;
  if (first !== undefined && others.length === 0) return yield* first.rows();
  const streams = selections.map((selection) => selection.rows()[Symbol.asyncIterator]());
  const nextOf = async (stream: AsyncIterator<SelectedRow>) => {
    const { done, value } = await stream.next();
    return done === true ? [] : [{ stream, row: value, rank: rowRank(value, seed) }];
  };
  try {
    let heads = (await Promise.all(streams.map(nextOf))).flat();
    while (heads.length > 0) {
      const least = heads.reduce((one, other) => (other.rank < one.rank ? other : one));
      yield least.row;
      const next = await nextOf(least.stream);
      heads = heads.flatMap((head) => (head === least ? next : [head]));
    }
  } finally {
    for (const stream of streams) await stream.return?.();
  }
}
