/**
 * The effect of a tip from draws that showed it or left it out: mean outcome shown minus mean outcome left out, each
 * draw weighted by one over the probability of what happened to it (Hajek), outcomes taken as deviations from what their
 * item and attempt number led to expect (`stratum-baseline.ts`), items as clusters.
 *
 * Estimated is the average effect over the attempts in which the tip was retrieved, shown or not, of letting it into the
 * prompt, while all other tips are drawn as they were. As the draw knows nothing of the attempt, this holds whatever
 * else differs between attempts: other tips drawn at the same time, drop probabilities that change from run to run,
 * later attempts that exist only because earlier ones failed.
 */
import type { Interval } from "../records/comparison.ts";
import { stratumBaselines } from "./stratum-baseline.ts";
import { studentTQuantile } from "./student-t.ts";
import { isRandomised, type TipDraw } from "./tip-draw.ts";

/** Fewest draws of either kind for an interval; with 5 to 10 it covers 93 % or more of the time where 95 % is said. */
export const FEWEST_DRAWS = 5;

export interface TipEffect {
  /** `observational` where no draw had a probability strictly between 0 and 1: then nothing protects from confounding. */
  kind: "randomised" | "observational";
  /** Null where the tip was never shown or never left out. */
  estimate: number | null;
  standardError: number | null;
  degreesOfFreedom: number | null;
  interval: Interval | null;
  shown: number;
  dropped: number;
  items: number;
  /** Why estimate or interval is null; null where neither is. */
  reason: string | null;
}

interface Arm {
  count: number;
  weight: number;
  /** Sums of weight times deviation, and of weight times outcome. */
  sum: number;
  outcomes: number;
  squaredWeights: number;
  items: Map<string, { weight: number; sum: number }>;
}

/**
 * Hajek contrast of one tip's draws with a t interval that is robust to items whose attempts rise and fall together.
 * Shapes: `draws` in the order in which they were drawn; where some were randomised, only these count.
 * Units: outcomes, estimate and interval are fractions; the interval is cut to [-1, 1].
 * Source: Hajek 1971 (ratio of weighted sums); standard error by leaving out one item at a time (CV3 of MacKinnon,
 * Nielsen and Webb 2023, J Appl Econometrics 38:671), with G - 1 or fewer degrees of freedom after Satterthwaite 1946,
 * Biometrics Bulletin 2:110. Deviates: the variance of either mean is not taken for less than that of as many
 * independent draws with one success and one failure added (Agresti and Caffo 2000, American Statistician 54:280);
 * without it the interval covers as little as 91 % where successes are rare.
 */
export function hajekContrast(draws: readonly TipDraw[], alpha: number): TipEffect {
  const kind = draws.some(isRandomised) ? "randomised" : "observational";
  const counted = kind === "randomised" ? draws.filter(isRandomised) : draws;
  const shown = emptyArm();
  const dropped = emptyArm();
  for (const [i, { deviation }] of stratumBaselines(counted).entries()) {
    const draw = counted[i] as TipDraw;
    addDraw(draw.isShown ? shown : dropped, draw, {
      value: draw.outcome - deviation,
      isWeighted: kind === "randomised",
    });
  }
  const items = new Set(counted.map((draw) => draw.item));
  const counts = { kind, shown: shown.count, dropped: dropped.count, items: items.size } as const;
  const none = { estimate: null, standardError: null, degreesOfFreedom: null, interval: null };
  if (counted.length === 0) return { ...counts, ...none, reason: "it was never retrieved" };
  if (dropped.count === 0) return { ...counts, ...none, reason: "no draw left it out" };
  if (shown.count === 0) return { ...counts, ...none, reason: "no draw showed it" };
  const estimate = Math.max(-1, Math.min(1, meanOf(shown) - meanOf(dropped)));
  if (Math.min(shown.count, dropped.count) < FEWEST_DRAWS)
    return { ...counts, ...none, estimate, reason: `fewer than ${FEWEST_DRAWS} draws showed it, or left it out` };
  if (Math.min(shown.items.size, dropped.items.size) < 2)
    return { ...counts, ...none, estimate, reason: "only one item was drawn with it, or without it" };
  const { standardError, degreesOfFreedom } = leaveOneItemOut(shown, dropped, items);
  const half = studentTQuantile(1 - alpha / 2, degreesOfFreedom) * standardError;
  const interval = { low: Math.max(-1, estimate - half), high: Math.min(1, estimate + half) };
  return { ...counts, estimate, standardError, degreesOfFreedom, interval, reason: null };
}

function emptyArm(): Arm {
  return { count: 0, weight: 0, sum: 0, outcomes: 0, squaredWeights: 0, items: new Map() };
}

function addDraw(arm: Arm, draw: TipDraw, { value, isWeighted }: { value: number; isWeighted: boolean }): void {
  const chance = draw.isShown ? 1 - draw.dropProbability : draw.dropProbability;
  const weight = isWeighted ? 1 / chance : 1;
  arm.count += 1;
  arm.weight += weight;
  arm.sum += weight * value;
  arm.outcomes += weight * draw.outcome;
  arm.squaredWeights += weight * weight;
  const item = arm.items.get(draw.item) ?? { weight: 0, sum: 0 };
  arm.items.set(draw.item, { weight: item.weight + weight, sum: item.sum + weight * value });
}

function meanOf(arm: Arm): number {
  return arm.sum / arm.weight;
}

/** How much an arm's mean changes when one item's draws are taken out of it. */
function changeWithout(arm: Arm, item: string): number {
  const taken = arm.items.get(item);
  return taken === undefined ? 0 : (arm.sum - taken.sum) / (arm.weight - taken.weight) - meanOf(arm);
}

function leaveOneItemOut(
  shown: Arm,
  dropped: Arm,
  items: ReadonlySet<string>,
): { standardError: number; degreesOfFreedom: number } {
  let squares = 0;
  for (const item of items) squares += (changeWithout(shown, item) - changeWithout(dropped, item)) ** 2;
  let variance = (squares * (items.size - 1)) / items.size;
  let total = 0;
  let spread = 0;
  for (const arm of [shown, dropped]) {
    const clusters = arm.items.size;
    let armSquares = 0;
    for (const item of arm.items.keys()) armSquares += changeWithout(arm, item) ** 2;
    const own = (armSquares * (clusters - 1)) / clusters;
    const least = leastVariance(arm, own);
    variance += Math.max(0, least - own);
    const armVariance = Math.max(own, least);
    total += armVariance;
    spread += armVariance ** 2 / (clusters - 1);
  }
  return { standardError: Math.sqrt(variance), degreesOfFreedom: Math.min(items.size - 1, total ** 2 / spread) };
}

/** The variance after a success and a failure were added to as many independent draws as have the variance `own`. */
function leastVariance(arm: Arm, own: number): number {
  const rate = arm.outcomes / arm.weight;
  const alone = rate * (1 - rate);
  const size = own > 0 && alone > 0 ? alone / own : arm.weight ** 2 / arm.squaredWeights;
  const pulled = (size * rate + 1) / (size + 2);
  return (pulled * (1 - pulled)) / (size + 2);
}
