/**
 * Many noisy effects of one group (the tips of a family): each is drawn towards the group's mean, the more the less is
 * known of it. The normal-normal model, its variance between effects taken from the data (empirical Bayes).
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { normalQuantile } from "./normal.ts";
import { studentTQuantile } from "./student-t.ts";

/** Below four effects nothing can be known of how they spread. */
export const FEWEST_EFFECTS = 4;

const HALVINGS = 100;

export interface NoisyEffect {
  estimate: number;
  standardError: number;
  degreesOfFreedom: number;
}

export interface ShrunkenEffects {
  mean: number;
  /** Estimated variance of the true effects; 0 where they differ no more than chance lets them. */
  betweenVariance: number;
  /** One for each effect, in the order given; `weight` is the share of its own estimate in it. */
  effects: { estimate: number; standardError: number; weight: number; interval: Interval }[];
}

/**
 * Shrinks the effects of a group towards their mean; null below four of them.
 * The intervals cover as often as they say on average over the group, not for each effect by itself: one that lies far
 * from all others is drawn in too much.
 * Shapes: standard errors are positive.
 * Units: fractions; intervals are cut to [-1, 1].
 * Source: Morris 1983, JASA 78:47, estimates and intervals of section 5 with the correction for an estimated variance
 * between; that variance after Paule and Mandel 1982, J Res NBS 87:377. Deviates: a standard error of few degrees of
 * freedom is widened by t over z first, as the model takes it for known.
 */
export function shrinkEffects(noisy: readonly NoisyEffect[], alpha: number): ShrunkenEffects | null {
  const count = noisy.length;
  if (count < FEWEST_EFFECTS) return null;
  const z = normalQuantile(1 - alpha / 2);
  const known = noisy.map(({ estimate, standardError, degreesOfFreedom }) => ({
    estimate,
    variance: ((standardError * studentTQuantile(1 - alpha / 2, degreesOfFreedom)) / z) ** 2,
  }));
  const betweenVariance = varianceBetween(known);
  const weights = known.map(({ variance }) => 1 / (variance + betweenVariance));
  const total = sumOf(weights);
  const weighted = (values: readonly number[]) => sumOf(values, (value, i) => value * (weights[i] as number)) / total;
  const mean = weighted(known.map(({ estimate }) => estimate));
  const typical = weighted(known.map(({ variance }) => variance));
  const effects = known.map(({ estimate, variance }, i) => {
    const drawn = ((count - 3) / (count - 1)) * variance * (weights[i] as number);
    const share = (weights[i] as number) / total;
    const uncertainty = (2 / (count - 3)) * drawn ** 2 * (typical + betweenVariance) * (weights[i] as number);
    const spread = variance * (1 - (1 - share) * drawn) + uncertainty * (estimate - mean) ** 2;
    const shrunken = mean + (1 - drawn) * (estimate - mean);
    const standardError = Math.sqrt(spread);
    const half = z * standardError;
    const interval = { low: Math.max(-1, shrunken - half), high: Math.min(1, shrunken + half) };
    return { estimate: shrunken, standardError, weight: 1 - drawn, interval };
  });
  return { mean, betweenVariance, effects };
}

/** The variance at which the weighted squares about the mean come to their expectation, by halving; 0 where none is needed. */
function varianceBetween(known: readonly { estimate: number; variance: number }[]): number {
  const excess = (between: number) => {
    const weights = known.map(({ variance }) => 1 / (variance + between));
    const total = sumOf(weights);
    const mean = sumOf(known, ({ estimate }, i) => estimate * (weights[i] as number)) / total;
    const squares = sumOf(known, ({ estimate }, i) => (estimate - mean) ** 2 * (weights[i] as number));
    return squares - (known.length - 1);
  };
  if (excess(0) <= 0) return 0;
  let low = 0;
  let high = 1;
  while (excess(high) > 0) high *= 2;
  for (let k = 0; k < HALVINGS; k++) {
    const middle = (low + high) / 2;
    if (excess(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
