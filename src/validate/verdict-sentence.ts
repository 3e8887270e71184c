/**
 * The verdict in plain words.
 */
import { assert } from "../foundation/errors.ts";
import type { Decision } from "../records/comparison.ts";
import { points } from "../statistics/figures.ts";

/** Says in one sentence what was decided, about which arms, and by how much. */
export function verdictSentence({ verdict, pairs, arms }: Pick<Decision, "verdict" | "pairs" | "arms">): string {
  const pair = pairs[0];
  assert(pair !== undefined && arms.length > 1, "a decision without a pair");
  const { treatment, reference, difference } = pair;
  if (verdict === "inconclusive") {
    return `Inconclusive: these items do not show whether ${treatment} is better than ${reference} (${points(difference)} points).`;
  }
  const more = verdict === "better" ? "more" : "fewer";
  const title = verdict === "better" ? "Better" : "Worse";
  return `${title}: ${treatment} solves ${more} held-out items at the first try than ${reference} (${points(difference)} points).`;
}
