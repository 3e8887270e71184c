/**
 * Draws pairs of first attempts, item by item in a plan's order, whose truth is known.
 */
import type { Random } from "../../src/foundation/random.ts";

export interface Drawn {
  /** Shares of pairs that differ, of wins over losses, and of both among those that do not differ. */
  discordance: number;
  difference: number;
  both: number;
  /** How far each family favours one arm or the other, by the toss of a coin. */
  familyBias: number;
  /** That take turns; thirteen where it is not said. */
  families?: number;
}

/** As many pairs, in a plan's order. */
export function drawPairs(drawn: Drawn, items: number, draws: Random) {
  const { discordance, difference, both, familyBias, families: count = 13 } = drawn;
  const families = Array.from({ length: count }, () => difference + (draws.next() < 0.5 ? familyBias : -familyBias));
  return Array.from({ length: items }, (_, index) => {
    const favour = families[index % count] as number;
    const [u, isBoth] = [draws.next(), draws.next() < both];
    if (u >= discordance) return { reference: isBoth, treatment: isBoth };
    const treatment = u < (discordance + favour) / 2;
    return { reference: !treatment, treatment };
  });
}

/** The families of as many items. */
export const familiesOf = (items: number, families = 13) =>
  Array.from({ length: items }, (_, index) => `${index % families}`);
