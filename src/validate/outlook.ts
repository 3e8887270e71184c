/**
 * What a pair could have shown, and what a clearer answer would take.
 */
import type { PairResult } from "../records/comparison.ts";
import { pointsSize } from "../statistics/figures.ts";
import { POWER, requiredItems } from "../statistics/power.ts";

/** Says in whole sentences what the pair could have detected, and with how many items its difference would show. */
export function outlook({
  minimumDetectable: detectable,
  n,
  difference,
  verdict,
}: Omit<PairResult, "verdict"> & Partial<Pick<PairResult, "verdict">>): string[] {
  if (detectable === null)
    return ["The families do not differ, so it cannot be told what difference would have been seen."];
  const power = `${Math.round(100 * POWER)} %`;
  const could = `A true difference of ${pointsSize(detectable)} points would have been found with ${power} probability.`;
  if (verdict !== "inconclusive" || difference === 0) return [could];
  const items = requiredItems(difference, { n, detectable });
  return [
    could,
    `If the true difference is ${pointsSize(difference)} points, about ${items} items of more families would show it.`,
  ];
}
