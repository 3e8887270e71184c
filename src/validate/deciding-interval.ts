/**
 * The one interval by which every axis of paired differences is judged, and the floor below which none of them is. A t interval
 * over families is sound where there are enough families and enough items that differ; where few items differ it promises too
 * much, down to no width at all, so there it is widened to what the number of items alone allows to be said.
 */
import { counted } from "../foundation/counted.ts";
import type { Interval } from "../records/comparison.ts";
import type { GateSettings } from "../records/gate.ts";
import { agreeingInterval } from "../statistics/agreeing-items.ts";
import { newcombeInterval } from "../statistics/newcombe.ts";
import type { PairedCounts } from "../statistics/paired-counts.ts";
import { hasSpread, meanInterval, pairedDifference } from "../statistics/paired-difference.ts";

/** Items that differ, from which the t interval covers what it says (docs/decisions/0010-families-decide.md). */
export const ENOUGH_ITEMS = 10;

export interface PairedItems {
  /** One entry per family, each with its items' differences. */
  differences: readonly (readonly number[])[];
  /** How pairs of right and wrong came out; null for differences of any other kind. */
  counts: PairedCounts | null;
}

/**
 * Returns the t interval over families; where fewer than 10 items differ, or no family does from another, it holds Newcombe's
 * interval of the counts too, and without counts what as many items of one kind leave open. Null below two families.
 * Source: Bell and McCaffrey 2002 (`pairedDifference`); Newcombe 1998, which covers more than it says where few pairs differ.
 */
export function decidingInterval({ differences, counts }: PairedItems, alpha: number): Interval | null {
  const estimate = pairedDifference(differences);
  const interval = meanInterval(estimate, alpha);
  const items = differences.flat();
  const differing = items.filter((difference) => difference !== 0).length;
  if (interval === null || (hasSpread(estimate) && differing >= ENOUGH_ITEMS)) return interval;
  const wide =
    counts === null
      ? agreeingInterval(estimate.difference, { n: items.length, alpha })
      : newcombeInterval(counts, alpha);
  return { low: Math.min(interval.low, wide.low), high: Math.max(interval.high, wide.high) };
}

/** The same of rates, whose difference lies in [-1, 1]. */
export function decidingRates(items: PairedItems, alpha: number): Interval | null {
  const interval = decidingInterval(items, alpha);
  return interval === null ? null : { low: Math.max(-1, interval.low), high: Math.min(1, interval.high) };
}

/** Says why so few families decide nothing, on any axis; null where they are enough. */
export function tooFewFamilies(families: number, { primary: { minFamilies } }: GateSettings): string | null {
  return families >= minFamilies
    ? null
    : `${counted(families, "family is", "families are")} too few to judge how families spread; ${minFamilies} are enough.`;
}
