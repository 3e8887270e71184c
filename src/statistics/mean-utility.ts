/**
 * The classic rule of history-based deletion: a tip goes when the attempts that read it ended badly on average.
 * It confounds the tip with the items that it was retrieved for: a good tip for hard items goes, a useless one for easy
 * items stays. It is here to be compared with, and for whoever asks for it by name.
 */
import { meanOf } from "../foundation/sums.ts";

/**
 * Tells whether the mean outcome over at least `atLeast` retrievals lies below a threshold.
 * Shapes: `outcomes` has one entry per attempt whose prompt held the tip.
 * Units: outcomes and threshold are fractions in [0, 1].
 * Source: Xiong et al. 2025, arXiv:2505.16067 (history-based deletion).
 */
export function isBelowMeanUtility(
  outcomes: readonly number[],
  { atLeast, below }: { atLeast: number; below: number },
): boolean {
  if (outcomes.length === 0 || outcomes.length < atLeast) return false;
  return meanOf(outcomes) < below;
}
