/**
 * Draws paired outcomes whose truth is known, for simulations of coverage and of false alarms.
 */
import { type Random, random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { normalQuantile } from "../../src/statistics/normal.ts";

export interface Truth {
  families: number;
  /** Items over all families; family sizes differ up to threefold. */
  items: number;
  /** Share of pairs that differ. */
  discordance: number;
  difference: number;
  /** Standard deviation of the difference over families. */
  familySd: number;
}

/** Repeats of a simulation: few enough for every test run, or the full count under TRACEMILL_LONG. */
export const REPEATS = process.env.TRACEMILL_LONG ? 10_000 : 600;

/** One draw: for each family its items' differences, -1, 0 or 1. */
export function drawFamilies(truth: Truth, draws: Random): number[][] {
  const weights = Array.from({ length: truth.families }, () => 0.5 + draws.next());
  const total = sumOf(weights);
  return weights.map((weight) => {
    const shift = truth.familySd === 0 ? 0 : truth.familySd * normalQuantile(draws.next() || 0.5);
    const onlyTreatment = clip((truth.discordance + truth.difference + shift) / 2);
    const onlyReference = clip((truth.discordance - truth.difference - shift) / 2);
    const size = Math.max(1, Math.round((truth.items * weight) / total));
    return Array.from({ length: size }, () => {
      const u = draws.next();
      return u < onlyTreatment ? 1 : u < onlyTreatment + onlyReference ? -1 : 0;
    });
  });
}

/** Share of draws for which `holds` is true; the same key gives the same share. */
export function shareOf(key: string, truth: Truth, holds: (families: number[][]) => boolean): number {
  const draws = random("simulation", key);
  let count = 0;
  for (let k = 0; k < REPEATS; k++) if (holds(drawFamilies(truth, draws))) count += 1;
  return count / REPEATS;
}

/** How far a share of REPEATS draws may lie from its probability: three standard deviations. */
export function band(probability: number): number {
  return 3 * Math.sqrt((probability * (1 - probability)) / REPEATS);
}

function clip(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}
