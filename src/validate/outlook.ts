/**
 * What a pair could have shown, and what a clearer answer would take.
 */
import type { PairResult } from "../records/comparison.ts";
import { pointsSize } from "../statistics/figures.ts";
import { POWER, requiredItems } from "../statistics/power.ts";

/** `verdict` is missing where nothing was judged. */
export type ShownPair = Omit<PairResult, "verdict"> & Partial<Pick<PairResult, "verdict">>;

/**
 * Says in whole sentences what the pair could have detected, and with how many items its difference would show.
 * Units: `alpha` is that of the interval which decides.
 */
export function outlook(pair: ShownPair, alpha: number): string[] {
  const { minimumDetectable: detectable, clusterInterval: interval, difference, verdict } = pair;
  if (detectable === null)
    return ["The families do not differ, so it cannot be told what difference would have been seen."];
  const power = `${Math.round(100 * POWER)} %`;
  const could = `A true difference of ${pointsSize(detectable)} points would have been found with ${power} probability.`;
  const isOpen = verdict === "inconclusive" && interval !== null;
  const items = isOpen ? requiredItems({ ...pair, interval, bound: 0, truth: difference }, alpha) : null;
  if (items === null) return [could];
  return [
    could,
    `If the true difference is ${pointsSize(difference)} points, about ${items} items of more families would show it.`,
  ];
}
