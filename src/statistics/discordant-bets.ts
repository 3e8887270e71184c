/**
 * A test of paired outcomes that may be looked at after every pair: bets on which arm the next pair that differs favours.
 *
 * Where the treatment is no better, a pair that differs favours it with a chance of at most one half, whatever came before;
 * then a bettor who stakes on it by what the past alone shows cannot expect to gain, and gets 1 / alpha times the stake ever
 * with a chance of at most alpha (Ville's inequality). So one may stop as soon as the wealth is there.
 */

/** Evidence after some pairs, as e-values: that the treatment is better, and that it is worse. */
export interface Bets {
  better: number;
  worse: number;
  /** Pairs that differed. */
  pairs: number;
}

/** What is kept between pairs. The wealths are logarithms, so that they never overflow. */
export interface BetState {
  logBetter: number;
  logWorse: number;
  wins: number;
  pairs: number;
}

/** Before any pair was seen. */
export const NO_BETS: BetState = { logBetter: 0, logWorse: 0, wins: 0, pairs: 0 };

/**
 * Returns the state after one more pair that differs; give the pairs in the order in which they were run, none left out.
 * Shapes: `win` is true where only the treatment passed, false where only the reference did.
 * Source: Shafer 2021, JRSS A 184:407 (testing by betting); the stakes are the forecasts of Krichevsky and Trofimov 1981, IEEE
 * Trans Inf Theory 27:199. Deviates: a forecast is never below one half, so that the null is "no better", not "equal".
 */
export function placeBet({ logBetter, logWorse, wins, pairs }: BetState, win: boolean): BetState {
  return {
    logBetter: logBetter + gain(win, forecast(wins, pairs)),
    logWorse: logWorse + gain(!win, forecast(pairs - wins, pairs)),
    wins: wins + Number(win),
    pairs: pairs + 1,
  };
}

/** The e-values of a state: each is valid at any time by itself. */
export function betsOf({ logBetter, logWorse, pairs }: BetState): Bets {
  return { better: bounded(logBetter), worse: bounded(logWorse), pairs };
}

/**
 * Says whether one may stop now, and for what: an e-value of 2 / alpha is there; null where one has to go on. A caller that
 * stops at the first answer that is not null is wrong on either side with a chance of at most alpha / 2. The answer is of this
 * state alone: who goes on has to keep the first answer, since later pairs can take the wealth away again.
 * Units: `alpha` two-sided.
 * Source: Ville's inequality, Shafer 2021, once a side.
 */
export function stopsFor({ logBetter, logWorse }: BetState, alpha: number): "better" | "worse" | null {
  const bar = Math.log(2 / alpha);
  if (logBetter >= bar) return "better";
  return logWorse >= bar ? "worse" : null;
}

function forecast(wins: number, seen: number): number {
  return Math.max(0.5, (wins + 0.5) / (seen + 1));
}

/** Logarithm of what one unit becomes. */
function gain(isRight: boolean, share: number): number {
  return Math.log(2 * (isRight ? share : 1 - share));
}

function bounded(logarithm: number): number {
  return Math.min(Number.MAX_VALUE, Math.exp(logarithm));
}
