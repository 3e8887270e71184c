/**
 * How many more draws of a tip it may take until its effect is told from a threshold at any time of looking: the draws so
 * far are taken for what further ones will be like. An outlook for people, not a promise, and no part of any decision.
 */
import { confidenceSequence } from "./confidence-sequence.ts";
import { isRandomised, type TipDraw } from "./tip-draw.ts";

/** Draws after which an effect that still cannot be told is taken for none that matters. */
const MOST_DRAWS = 20_000;

/**
 * Further draws like the randomised ones so far after which the anytime interval lies wholly on one side of the
 * threshold; 0 where it does already, null where it would not within 20,000.
 * Shapes: `draws` in the order in which they were drawn. Repeated draws count as draws at new items, as nothing is known
 * of how the old ones would end another time.
 */
export function drawsUntilTold(
  draws: readonly TipDraw[],
  { alpha, threshold }: { alpha: number; threshold: number },
): number | null {
  const counted = draws.filter(isRandomised);
  if (counted.length === 0) return null;
  const rounds = Math.ceil(MOST_DRAWS / counted.length);
  const repeated = Array.from({ length: rounds }, (_, round) =>
    counted.map((draw) => ({ ...draw, item: `${draw.item} ${round}` })),
  ).flat();
  const told = confidenceSequence(repeated, alpha).findIndex(
    ({ low, high }, i) => i + 1 >= counted.length && (low > threshold || high < threshold),
  );
  return told === -1 ? null : told + 1 - counted.length;
}
