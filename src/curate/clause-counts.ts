/**
 * Counts, for each clause of a filter, how many examples it refused: an example counts for the first clause, in the
 * order written, that is not true of it.
 */
import { z } from "zod";
import { type ClauseCount, refusalTally } from "../records/refusal-tally.ts";
import { clausesOf, type FilterTree, formatFilter } from "./filter-tree.ts";

/** A row of `filteredOutQuery`. */
const rowSchema = z.object({
  clause: z.coerce.number(),
  filtered: z.coerce.number(),
  first: z.array(z.string()),
});

export interface ClauseTally {
  /** Takes a row of `filteredOutQuery`, of whichever range. */
  add(row: unknown): void;
  /** One entry a clause in the order written, also for those that refused nothing. */
  counts(): ClauseCount[];
}

/** Makes an empty count for each clause of a filter. */
export function clauseTally(filter: FilterTree): ClauseTally {
  const clauses = clausesOf(filter).map((clause) => ({ clause: formatFilter(clause), tally: refusalTally() }));
  return {
    add(row) {
      const { clause, filtered, first } = rowSchema.parse(row);
      clauses[clause]?.tally.add("filter", first, filtered);
    },
    counts: () =>
      clauses.map(({ clause, tally }) => {
        const { count = 0, examples = [] } = tally.counts()[0] ?? {};
        return { clause, count, examples };
      }),
  };
}
