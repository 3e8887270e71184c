/**
 * What an attempt could be expected to come to, whether or not the tip was shown: a forecast from the draws before it.
 * Taking it away stratifies a contrast by item and attempt number although hardly any stratum holds both a shown and a
 * dropped draw. Only the past is asked, as an attempt's end decides which attempts follow: a mean over later ones would
 * depend on the very draw that it is to judge, and the contrast would be biased.
 */
import type { TipDraw } from "./tip-draw.ts";

/** Draws that must have been seen before a mean is believed as much as what is more general than it. */
const PATIENCE = 4;

export interface Baseline {
  /** Mean outcome of the draws before, begun at one half. */
  overall: number;
  /** How far this item and attempt number are expected to lie from it. */
  deviation: number;
}

interface Level {
  keyOf: (draw: TipDraw) => string;
  means: Map<string, { sum: number; count: number }>;
}

/**
 * For each draw the forecast of its outcome from the draws before it: an overall mean, then what the attempt number,
 * the item, and both together add, each shrunk towards what is known without it.
 * Shapes: `draws` in the order in which they were drawn; one entry for each comes back.
 * Source: one-way shrinkage of nested means as in Gelman and Hill 2007, section 12.2, with a fixed ratio of variances.
 */
export function stratumBaselines(draws: readonly TipDraw[]): Baseline[] {
  const levels: Level[] = [
    { keyOf: (draw) => `${draw.attemptNumber}`, means: new Map() },
    { keyOf: (draw) => draw.item, means: new Map() },
    { keyOf: (draw) => `${draw.attemptNumber} ${draw.item}`, means: new Map() },
  ];
  let total = 0.5;
  return draws.map((draw, seen) => {
    const overall = total / (seen + 1);
    total += draw.outcome;
    let deviation = 0;
    for (const { keyOf, means } of levels) {
      const key = keyOf(draw);
      const mean = means.get(key) ?? { sum: 0, count: 0 };
      const left = draw.outcome - overall - deviation;
      deviation += mean.sum / (mean.count + PATIENCE);
      means.set(key, { sum: mean.sum + left, count: mean.count + 1 });
    }
    return { overall, deviation };
  });
}
