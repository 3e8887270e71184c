/**
 * How a signature is cut into bands, so that only texts that agree in a whole band are compared: the chance of that rises
 * steeply at one similarity, and the cut puts that rise where the threshold is.
 * Source: Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4.
 */
export interface Banding {
  bands: number;
  /** Places of the signature in each band. */
  rows: number;
}

/** What a pair that is missed and one that is compared in vain weigh: the latter costs time only, as every pair is verified. */
export interface BandingWeights {
  missed: number;
  inVain: number;
}

const WEIGHTS: BandingWeights = { missed: 0.9, inVain: 0.1 };
const STEPS = 64;

/** Returns the chance that two texts of this similarity agree in at least one band. */
export function comparedFraction(similarity: number, { bands, rows }: Banding): number {
  return 1 - (1 - similarity ** rows) ** bands;
}

/**
 * Returns the cut of a signature that makes the least of: the area above the curve of `comparedFraction` from the threshold
 * on, and the area under it before, each by its weight. Of equal ones the first by bands.
 */
export function bestBanding(threshold: number, places: number, weights: BandingWeights = WEIGHTS): Banding {
  let best = { bands: 1, rows: 1 };
  let leastCost = Number.POSITIVE_INFINITY;
  for (let bands = 1; bands <= places; bands++) {
    for (let rows = 1; bands * rows <= places; rows++) {
      const inVain = area(0, threshold, (similarity) => comparedFraction(similarity, { bands, rows }));
      const missed = area(threshold, 1, (similarity) => 1 - comparedFraction(similarity, { bands, rows }));
      const cost = weights.inVain * inVain + weights.missed * missed;
      if (cost < leastCost) [best, leastCost] = [{ bands, rows }, cost];
    }
  }
  return best;
}

/** The integral by Simpson's rule. */
function area(from: number, to: number, height: (x: number) => number): number {
  const step = (to - from) / STEPS;
  let sum = height(from) + height(to);
  for (let i = 1; i < STEPS; i++) sum += (i % 2 === 1 ? 4 : 2) * height(from + i * step);
  return (sum * step) / 3;
}
