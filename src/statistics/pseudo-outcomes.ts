/**
 * One number a draw whose expectation, given all that came before the draw, is the tip's effect in that attempt:
 * (outcome - baseline) / P(shown) where the tip was shown, the negative of (outcome - baseline) / P(dropped) where not.
 *
 * It holds because chance alone decided, with a known probability, and because the baseline was fixed before. So the
 * numbers minus their effects are martingale differences, however attempts at one item, other tips or the memory hang
 * together: nothing here needs a correction for clusters.
 */
import { stratumBaselines } from "./stratum-baseline.ts";
import { isRandomised, type TipDraw } from "./tip-draw.ts";

/** Draws that the forecast of the effect waits for before it leaves 0: a single pseudo-outcome says very little. */
const PATIENCE = 20;

export interface PseudoOutcome {
  value: number;
  /** Bounds that the value had to keep to, known before the draw: at most -1, and at least 1. */
  low: number;
  high: number;
  /** Forecast of the effect from the draws before, in [-1, 1]. */
  forecast: number;
  dropProbability: number;
}

/**
 * The pseudo-outcomes of the draws that were randomised; others are left out.
 * Shapes: `draws` in the order in which they were drawn. An attempt must not change how one ends that was drawn before
 * it; attempts that ran side by side are fine.
 * Source: Horvitz and Thompson 1952 with a predictable baseline, as the doubly robust pseudo-outcomes of Waudby-Smith
 * et al. 2022, arXiv:2210.10768.
 */
export function pseudoOutcomes(draws: readonly TipDraw[]): PseudoOutcome[] {
  const counted = draws.filter(isRandomised);
  const baselines = stratumBaselines(counted);
  let sum = 0;
  return counted.map((draw, seen) => {
    const { overall, deviation } = baselines[seen] ?? { overall: 0.5, deviation: 0 };
    const baseline = clip(overall + deviation, 0, 1);
    const dropped = draw.dropProbability;
    const shown = 1 - dropped;
    const value = draw.isShown ? (draw.outcome - baseline) / shown : (baseline - draw.outcome) / dropped;
    const forecast = clip(sum / (seen + PATIENCE), -1, 1);
    sum += value;
    return {
      value,
      low: -Math.max(baseline / shown, (1 - baseline) / dropped),
      high: Math.max((1 - baseline) / shown, baseline / dropped),
      forecast,
      dropProbability: dropped,
    };
  });
}

function clip(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
