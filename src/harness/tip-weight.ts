/**
 * What a tip's similarity is multiplied by before tips are ranked: whether it was learnt on an item of the same kind, what
 * type it is of, and what is known of its effect. Small factors on purpose: they order tips that are about as alike, and
 * do not bring a tip up that is about something else.
 */
import type { Item } from "../records/item.ts";
import type { Tip } from "../records/tip.ts";

/** Learnt on an item of the same kind, where the skill tells kinds apart. */
export const SAME_KIND_FACTOR = 1.1;
/** What to do comes before what to beware of and what to do better. */
export const TYPE_FACTORS: Record<Tip["type"], number> = { strategy: 1, recovery: 1, warning: 0.9, optimization: 0.9 };
/** An effect of +20 points makes 1.2; the factor stays between these bounds. */
export const RECORD_FACTORS = { least: 0.5, most: 1.5 };

/** What a tip brings along for its rank, besides what it is about. */
export interface WeighedTip {
  type: Tip["type"];
  /** Kind of the item that it was learnt on; null where there is none. */
  kind: string | null;
  /** Its shrunken effect, a fraction; null where nothing is known. */
  effect: number | null;
}

/** Returns the factor by which a tip's similarity to an item counts. */
export function weightOf({ type, kind, effect }: WeighedTip, item: Pick<Item, "kind">): number {
  const { least, most } = RECORD_FACTORS;
  const kindFactor = kind !== null && kind === item.kind ? SAME_KIND_FACTOR : 1;
  return kindFactor * TYPE_FACTORS[type] * Math.min(most, Math.max(least, 1 + (effect ?? 0)));
}
