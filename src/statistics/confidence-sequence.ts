/**
 * Intervals of a tip's effect that may be looked at after every draw: the chance that any one of them, ever, misses the
 * average effect over the attempts so far is at most alpha, at every sample size.
 *
 * The idea: bet against "the average effect is at most x". A stake of lambda turns one unit into
 *   exp(lambda (forecast - x)) * (1 + lambda (value - forecast))
 * at each draw. Since 1 + z <= exp(z), the expected factor is at most exp(lambda (effect - x)); so over t draws the
 * wealth, taken at x = the average effect of these t attempts, is a supermartingale that starts at 1, and passes
 * 1 / alpha with a chance of at most alpha (Ville). Effects may differ from attempt to attempt. Nobody knows the best
 * stake, so the unit is shared among a few.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { type PseudoOutcome, pseudoOutcomes } from "./pseudo-outcomes.ts";
import type { TipDraw } from "./tip-draw.ts";

/**
 * Stakes, in units of the standard deviation that the first draw's probability alone gives the pseudo-outcomes; best at
 * about 2200, 560, 140 and 35 draws for pass rates near a third. Chosen before any data, so none is favoured by them.
 */
const STAKES = [0.15, 0.3, 0.6, 1.2];

/** How near to its bar, in logarithms, a wealth must come for a bound to be taken as found. */
const PRECISION = 1e-10;

export type Side = "above" | "below";

interface Bet {
  stake: number;
  /** Logarithm of the wealth at x = 0, less the share that the bet began with. */
  logWealth: number;
}

/** Bets on one side. Those on "below" are the bets on "above" over the negated numbers. */
interface Wealth {
  bets: Bet[];
  draws: number;
}

/**
 * The interval after each randomised draw, none cut by an earlier one: as effects may drift, so may their average.
 * Shapes: `draws` in the order in which they were drawn; one entry for each that was randomised.
 * Units: fractions in [-1, 1].
 * Source: Waudby-Smith et al. 2022, arXiv:2210.10768 (running average of effects that vary); wealth by the step in the
 * proof of theorem 4 of Howard, Ramdas, McAuliffe and Sekhon 2021, Annals of Statistics 49:1055. Deviates: that step
 * is kept as it is, not weakened to the variance of an empirical Bernstein bound (Fan's inequality), which is wider.
 */
export function confidenceSequence(draws: readonly TipDraw[], alpha: number): Interval[] {
  const outcomes = pseudoOutcomes(draws);
  const above = openBets(outcomes);
  const below = openBets(outcomes);
  return outcomes.map((outcome) => {
    settle(above, outcome);
    settle(below, negated(outcome));
    return { low: lowerBound(above, alpha / 2), high: 0 - lowerBound(below, alpha / 2) };
  });
}

/** The interval after the last draw; all of [-1, 1] where nothing was randomised. */
export function anytimeInterval(draws: readonly TipDraw[], alpha: number): Interval {
  const outcomes = pseudoOutcomes(draws);
  return {
    low: lowerBound(wealthOf(outcomes), alpha / 2),
    high: 0 - lowerBound(wealthOf(outcomes.map(negated)), alpha / 2),
  };
}

/**
 * How strongly the draws say that the average effect lies above (or below) a threshold, as an e-value: where it does
 * not, its expectation is at most 1, whenever one stops to look. It is at least 1 / alpha exactly where the one-sided
 * bound at that alpha lies beyond the threshold.
 * Shapes: 1 where nothing was randomised.
 */
export function effectEValue(
  draws: readonly TipDraw[],
  { threshold, side }: { threshold: number; side: Side },
): number {
  const outcomes = pseudoOutcomes(draws);
  const logarithm =
    side === "above"
      ? logWealthAt(wealthOf(outcomes), threshold)
      : logWealthAt(wealthOf(outcomes.map(negated)), 0 - threshold);
  return Math.min(Number.MAX_VALUE, Math.exp(logarithm));
}

function wealthOf(outcomes: readonly PseudoOutcome[]): Wealth {
  const wealth = openBets(outcomes);
  for (const outcome of outcomes) settle(wealth, outcome);
  return wealth;
}

/** The first draw's probability is known before it, and so are the stakes. */
function openBets([first]: readonly PseudoOutcome[]): Wealth {
  const { dropProbability } = first ?? { dropProbability: 0.5 };
  const scale = Math.sqrt(dropProbability * (1 - dropProbability));
  return { bets: STAKES.map((stake) => ({ stake: stake * scale, logWealth: 0 })), draws: 0 };
}

/** A bet that could lose more than it has is given up before the draw: whoever gives up for nothing wins nothing. */
function settle(wealth: Wealth, { value, low, forecast }: PseudoOutcome): void {
  wealth.draws += 1;
  for (const bet of wealth.bets) {
    if (bet.stake * (forecast - low) >= 1) bet.logWealth = Number.NEGATIVE_INFINITY;
    else bet.logWealth += bet.stake * forecast + Math.log1p(bet.stake * (value - forecast));
  }
}

function negated(outcome: PseudoOutcome): PseudoOutcome {
  return {
    ...outcome,
    value: 0 - outcome.value,
    low: 0 - outcome.high,
    high: 0 - outcome.low,
    forecast: 0 - outcome.forecast,
  };
}

function logWealthAt(wealth: Wealth, x: number): number {
  return wealthAndFall(wealth, x).logWealth;
}

/** The wealth at x, and how fast its logarithm falls there. */
function wealthAndFall({ bets, draws }: Wealth, x: number): { logWealth: number; fall: number } {
  const logarithms = bets.map(({ stake, logWealth }) => logWealth - stake * draws * x - Math.log(bets.length));
  const largest = Math.max(...logarithms);
  if (largest === Number.NEGATIVE_INFINITY) return { logWealth: largest, fall: 0 };
  const shares = logarithms.map((logarithm) => Math.exp(logarithm - largest));
  const total = sumOf(shares);
  const fall = sumOf(bets, ({ stake }, k) => stake * draws * (shares[k] as number)) / total;
  return { logWealth: largest + Math.log(total), fall };
}

/**
 * The least x in [-1, 1] that the bets do not rule out. Their logarithm is convex and falls, so Newton's steps from the
 * left come ever nearer and never pass it.
 */
function lowerBound(wealth: Wealth, alpha: number): number {
  const bar = -Math.log(alpha);
  let x = -1;
  for (;;) {
    const { logWealth, fall } = wealthAndFall(wealth, x);
    if (logWealth - bar < PRECISION || x >= 1) return Math.min(1, x);
    x += (logWealth - bar) / fall;
  }
}
