/** Bets on many pairs at once. */
import { type Bets, betsOf, NO_BETS, placeBet } from "../../src/statistics/discordant-bets.ts";

/** The e-values after each pair that differs. Shapes: `favours` as the `win` of `placeBet`. */
export function betsAfterEach(favours: readonly boolean[]): Bets[] {
  let state = NO_BETS;
  return favours.map((win) => {
    state = placeBet(state, win);
    return betsOf(state);
  });
}
