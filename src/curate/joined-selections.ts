/** Puts selections behind one another, as one that a dataset can be written of. */
import { sumOf } from "../foundation/sums.ts";
import { refusalTally } from "../records/refusal-tally.ts";
import { NOT_SCRUBBED, type Part, type Selection } from "../records/selection.ts";

/**
 * Returns a selection of the rows of all, in their order; what each counted is added up, a clause that several filters
 * have being one. To be closed instead of them. Of none it is a selection of nothing.
 */
export function joinedSelections(selections: readonly Selection[]): Selection {
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
    async *rows() {
      for (const selection of selections) yield* selection.rows();
    },
    close() {
      for (const selection of selections) selection.close();
    },
  };
}
