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

/**
 * Returns the e-values after each pair that differs, in the order seen. Each is valid at any time by itself; for both
 * sides at once take 2 / alpha as the bar.
 * Shapes: `favours` holds true where only the treatment passed, false where only the reference did.
 * Source: Shafer 2021, JRSS A 184:407 (testing by betting); the stakes are the forecasts of Krichevsky and Trofimov 1981, IEEE
 * Trans Inf Theory 27:199. Deviates: a forecast is never below one half, so that the null is "no better", not "equal".
 */
export function discordantBets(favours: readonly boolean[]): Bets[] {
  let [better, worse, wins] = [0, 0, 0];
  return favours.map((win, seen) => {
    better += gain(win, forecast(wins, seen));
    worse += gain(!win, forecast(seen - wins, seen));
    if (win) wins += 1;
    return { better: bounded(better), worse: bounded(worse), pairs: seen + 1 };
  });
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
