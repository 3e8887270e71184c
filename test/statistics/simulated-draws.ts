/**
 * Draws of a tip whose effect is known, for simulations of coverage, false alarms and power: items of unequal
 * difficulty, several attempts that end with the first success, other tips drawn in the same attempts, runs with
 * different drop probabilities.
 */
import fc from "fast-check";
import type { Random } from "../../src/foundation/random.ts";
import { normalQuantile } from "../../src/statistics/normal.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";

export interface World {
  items: number;
  runs: number;
  /** Most attempts at an item within a run. */
  attempts: number;
  /** Pass rate of an item of middling difficulty, all tips left out. */
  base: number;
  /** Standard deviation over items, of the pass rate and of the tip's effect. */
  itemSd: number;
  effectSd: number;
  effect: number;
  /** One a run, repeated where there are more runs. */
  dropProbabilities: readonly number[];
  /** Other tips in each prompt; they add 10 points and take 10 points in turn. */
  otherTips: number;
}

export const WORLD: World = {
  items: 60,
  runs: 1,
  attempts: 3,
  base: 0.3,
  itemSd: 0.15,
  effectSd: 0,
  effect: 0,
  dropProbabilities: [0.5],
  otherTips: 2,
};

/** Any history of draws: for laws that hold whatever happened. */
export const anyDraws = fc.array(
  fc.record({
    item: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    attemptNumber: fc.integer({ min: 1, max: 3 }),
    isShown: fc.boolean(),
    dropProbability: fc.constantFrom(0.1, 0.2, 0.5, 0.8),
    outcome: fc.constantFrom(0, 0.25, 1),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Full counts under TRACEMILL_LONG, a sample otherwise. */
export function repeats(full: number, sample: number): number {
  return process.env.TRACEMILL_LONG ? full : sample;
}

/**
 * Draws a history, and beside each draw the tip's true effect in that attempt.
 * A pass rate is cut to [0, 1], so near its ends the true effect is smaller than the world says.
 */
export function simulateDraws(world: World, random: Random): { draws: TipDraw[]; effects: number[] } {
  const normal = (sd: number) => (sd === 0 ? 0 : sd * normalQuantile(random.next() || 0.5));
  const items = Array.from({ length: world.items }, (_, i) => ({
    item: `item ${i}`,
    rate: world.base + normal(world.itemSd),
    effect: world.effect + normal(world.effectSd),
  }));
  const draws: TipDraw[] = [];
  const effects: number[] = [];
  for (let run = 0; run < world.runs; run++) {
    const dropProbability = world.dropProbabilities[run % world.dropProbabilities.length] as number;
    for (const { item, rate, effect } of items) {
      for (let attemptNumber = 1; attemptNumber <= world.attempts; attemptNumber++) {
        let others = 0;
        for (let k = 0; k < world.otherTips; k++) if (random.next() >= dropProbability) others += k % 2 ? -0.1 : 0.1;
        const isShown = random.next() >= dropProbability;
        const without = clip(rate + others);
        const shown = clip(rate + others + effect);
        const isPassed = random.next() < (isShown ? shown : without);
        draws.push({ item, attemptNumber, isShown, dropProbability, outcome: isPassed ? 1 : 0 });
        effects.push(shown - without);
        if (isPassed) break;
      }
    }
  }
  return { draws, effects };
}

/** How far a share of `count` repeats may lie from its probability: three standard deviations. */
export function chanceBand(probability: number, count: number): number {
  return 3 * Math.sqrt((probability * (1 - probability)) / count);
}

export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

function clip(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}
