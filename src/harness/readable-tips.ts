/**
 * Which tips of the runs that are read stay in memory: those that nobody retired, and in place of a tip that was merged
 * into one of a run that is not read, itself. Pure.
 */
import type { TipId } from "../records/ids.ts";

/** What became of retired tips: the tip that says the same and stays, or null where none does. */
export type Retirements = ReadonlyMap<TipId, TipId | null>;

/**
 * Returns the tips that may be read, in their order; of several that were merged into the same absent tip the first.
 * Shapes: `saved` holds all tips of the runs that are read, retired ones too, oldest first.
 */
export function readableTips<T extends { tip: TipId }>(saved: readonly T[], retirements: Retirements): T[] {
  const here = new Set(saved.map(({ tip }) => tip));
  const stoodIn = new Set<TipId>();
  return saved.filter(({ tip }) => {
    const stays = stayingTip(tip, retirements);
    if (stays === tip) return true;
    if (stays === null || here.has(stays) || stoodIn.has(stays)) return false;
    stoodIn.add(stays);
    return true;
  });
}

/** Follows merges to the tip that stays; null where that one was retired for what it says. */
function stayingTip(tip: TipId, retirements: Retirements): TipId | null {
  let at = tip;
  for (const seen = new Set<TipId>(); !seen.has(at); ) {
    seen.add(at);
    const into = retirements.get(at);
    if (into === undefined) return at;
    if (into === null) return null;
    at = into;
  }
  return null;
}
