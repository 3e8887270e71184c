/**
 * What an attempt could be expected to come to, whether or not the tip was shown: a forecast from the draws before it.
 * Taking it away stratifies a contrast by item and attempt number although hardly any stratum holds both a shown and a
 * dropped draw. Only the past is asked, as an attempt's end decides which attempts follow: a mean over later ones would
 * depend on the very draw that it is to judge, and the contrast would be biased.
 */
import type { TipDraw } from "./tip-draw.ts";

/**
 * Draws after which a mean counts as much as what is known without it. Right where means of strata spread about a third
 * as widely as single outcomes do; too large a number only forgoes a gain, too small a one adds noise to every contrast.
 */
const PATIENCE = 10;

export interface Baseline {
  /** Mean outcome of the draws before, begun at one half. */
  overall: number;
  /** How far a draw of this item and attempt number is expected to lie from it. */
  deviation: number;
}

interface Tally {
  sum: number;
  count: number;
}

/**
 * For each draw the forecast of its outcome from the draws before it: an overall mean, and what the attempt number,
 * then the item, then both together add to it, each shrunk towards nothing.
 * Shapes: `draws` in the order in which they were drawn, one entry for each. Deviations are 0 as long as there is one
 * attempt number and no item was seen twice.
 * Source: Gelman and Hill 2007, section 12.2 (partial pooling), with the ratio of variances fixed beforehand.
 */
export function stratumBaselines(draws: readonly TipDraw[]): Baseline[] {
  const all: Tally = { sum: 0, count: 0 };
  const attempts = new Map<number, Tally>();
  const items = new Map<string, Map<number, Tally>>();
  return draws.map((draw) => {
    const cells = items.get(draw.item) ?? new Map<number, Tally>();
    const overall = (all.sum + 0.5) / (all.count + 1);
    const deviation = all.count === 0 ? 0 : deviationOf(draw.attemptNumber, { all, attempts, cells });
    items.set(draw.item, cells);
    add(all, draw.outcome);
    add(entry(attempts, draw.attemptNumber), draw.outcome);
    add(entry(cells, draw.attemptNumber), draw.outcome);
    return { overall, deviation };
  });
}

function deviationOf(
  attempt: number,
  { all, attempts, cells }: { all: Tally; attempts: Map<number, Tally>; cells: Map<number, Tally> },
): number {
  const mean = all.sum / all.count;
  const ofAttempt = (number: number) => shrunk(attempts.get(number), mean);
  let left = 0;
  let count = 0;
  for (const [number, cell] of cells) {
    left += cell.sum - cell.count * (mean + ofAttempt(number));
    count += cell.count;
  }
  const withItem = ofAttempt(attempt) + left / (count + PATIENCE);
  return withItem + shrunk(cells.get(attempt), mean + withItem);
}

/** How far a tally's mean lies from what was expected, shrunk towards 0. */
function shrunk(tally: Tally | undefined, expected: number): number {
  return tally === undefined ? 0 : (tally.sum - tally.count * expected) / (tally.count + PATIENCE);
}

function entry(tallies: Map<number, Tally>, key: number): Tally {
  const tally = tallies.get(key) ?? { sum: 0, count: 0 };
  tallies.set(key, tally);
  return tally;
}

function add(tally: Tally, outcome: number): void {
  tally.sum += outcome;
  tally.count += 1;
}
