/**
 * Counts refused examples by reason. The three turns named for a reason are its first by name, so that the tally
 * does not depend on the order in which they came.
 */
import { z } from "zod";

const EXAMPLES = 3;

export const refusalCountSchema = z.object({
  /** Stable name of the filter or gate: `incomplete`, `exact-duplicate`, `prompt-not-prefix`, ... */
  reason: z.string(),
  count: z.int().min(0),
  /** Up to three turns that were refused for it. */
  examples: z.array(z.string()),
});

/** What one clause of a filter refused. */
export const clauseCountSchema = refusalCountSchema.omit({ reason: true }).extend({
  /** A condition that all others are joined with by `and`. */
  clause: z.string(),
});

export type ClauseCount = z.infer<typeof clauseCountSchema>;
export type RefusalCount = z.infer<typeof refusalCountSchema>;

export interface RefusalTally {
  /** Counts `count` refusals, of which `turns` are named. */
  add(reason: string, turns: readonly string[], count?: number): void;
  /** One entry a reason, most frequent first. */
  counts(): RefusalCount[];
}

/** Makes an empty tally. */
export function refusalTally(): RefusalTally {
  const byReason = new Map<string, { count: number; examples: string[] }>();
  return {
    add(reason, turns, count = turns.length) {
      const entry = byReason.get(reason) ?? { count: 0, examples: [] };
      byReason.set(reason, entry);
      entry.count += count;
      const last = entry.examples.at(-1);
      if (entry.examples.length === EXAMPLES && last !== undefined && turns.every((turn) => turn >= last)) return;
      entry.examples = [...entry.examples, ...turns].sort().slice(0, EXAMPLES);
    },
    counts: () =>
      [...byReason]
        .filter(([, { count }]) => count > 0)
        .map(([reason, { count, examples }]) => ({ reason, count, examples }))
        .sort((x, y) => y.count - x.count || (x.reason < y.reason ? -1 : 1)),
  };
}
