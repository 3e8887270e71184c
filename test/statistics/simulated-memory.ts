/**
 * A memory of tips with known effects over many runs: three of those not yet retired are in each prompt, each left out
 * by its own draw; after every run all tips are judged, and what is retired is not shown again.
 */
import type { Random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";
import { judgeTips } from "../../src/statistics/tip-retirement.ts";

export interface MemoryRuns {
  looks: number;
  itemsALook: number;
  dropProbability: number;
  alpha: number;
  rng: Random;
}

const ATTEMPTS = 2;
const TIPS_A_PROMPT = 3;

/** Tips by their place in `effects`: those retired after any run, and those called helpful after any run. */
export function looksUntilEnd(
  effects: readonly number[],
  { looks, itemsALook, dropProbability, alpha, rng }: MemoryRuns,
): { retired: Set<number>; helpful: Set<number> } {
  const draws: TipDraw[][] = effects.map(() => []);
  const retired = new Set<number>();
  const helpful = new Set<number>();
  const difficulty = Array.from({ length: itemsALook }, () => 0.25 + 0.5 * rng.next());
  for (let look = 0; look < looks; look++) {
    const live = effects.map((_, tip) => tip).filter((tip) => !retired.has(tip));
    for (const [i, rate] of difficulty.entries()) {
      for (let attemptNumber = 1; attemptNumber <= ATTEMPTS; attemptNumber++) {
        const retrieved = rng
          .sample(live, TIPS_A_PROMPT)
          .map((tip) => ({ tip, isShown: rng.next() >= dropProbability }));
        const shift = sumOf(retrieved, ({ tip, isShown }) => (isShown ? (effects[tip] as number) : 0));
        const outcome = rng.next() < Math.min(1, Math.max(0, rate + shift)) ? 1 : 0;
        for (const { tip, isShown } of retrieved)
          draws[tip]?.push({ item: `item ${i}`, attemptNumber, isShown, dropProbability, outcome });
        if (outcome === 1) break;
      }
    }
    const tips = draws.map((own, tip) => ({ tip: `${tip}`, draws: own }));
    for (const { tip, call } of judgeTips(tips, { alpha })) {
      if (call === "retired") retired.add(Number(tip));
      if (call === "helpful") helpful.add(Number(tip));
    }
  }
  return { retired, helpful };
}
