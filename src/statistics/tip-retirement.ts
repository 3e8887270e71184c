/**
 * Which tips harm, and which help: each tip's anytime evidence against a threshold, judged together so that false calls
 * stay few among all calls. May be asked after every run, as often as wanted.
 */
import type { Interval } from "../records/comparison.ts";
import { eBenjaminiHochberg } from "./benjamini-hochberg.ts";
import { anytimeInterval, effectEValue } from "./confidence-sequence.ts";
import { isRandomised, type TipDraw } from "./tip-draw.ts";

export interface RetirementRule {
  /** A tip is retired when its effect is shown to lie below, and called helpful when above. A fraction; 0 by default. */
  threshold?: number;
  /** Fewest randomised draws that showed a tip, and that left it out, before it is called anything. */
  atLeast?: number;
  /** Rate of false calls among all calls, for the retired and the helpful each. */
  alpha: number;
}

export interface TipVerdict {
  tip: string;
  call: "retired" | "helpful" | "undecided";
  shown: number;
  dropped: number;
  /** Anytime interval of the tip alone at `alpha`, two-sided; the calls do not rest on it but on the rates. */
  interval: Interval;
  /** Smallest rate at which the tip would be retired, and called helpful; 1 where too few draws speak. */
  retiredRate: number;
  helpfulRate: number;
}

/**
 * Calls each tip retired, helpful or undecided.
 * A call at rate alpha is the same as: the anytime bound at alpha x (calls / tips) lies beyond the threshold.
 * Shapes: `tips` are all that were ever drawn in what is judged, those already retired among them; each with its draws
 * in the order in which they were drawn. Tips without a randomised draw are undecided and do not count as tests.
 * Source: Wang and Ramdas 2022 (`benjamini-hochberg.ts`); the bounds are those of Xu, Wang and Ramdas 2022,
 * arXiv:2203.12572 (e-BY).
 */
export function judgeTips(
  tips: readonly { tip: string; draws: readonly TipDraw[] }[],
  { threshold = 0, atLeast = 10, alpha }: RetirementRule,
): TipVerdict[] {
  const tested = tips.map(({ tip, draws }) => {
    const counted = draws.filter(isRandomised);
    const shown = counted.filter((draw) => draw.isShown).length;
    return { tip, draws: counted, shown, dropped: counted.length - shown };
  });
  const ratesOf = (side: "below" | "above") => {
    const drawn = tested.filter(({ draws }) => draws.length > 0);
    // An e-value set to 0 for want of draws is still one.
    const rates = eBenjaminiHochberg(
      drawn.map(({ draws, shown, dropped }) =>
        Math.min(shown, dropped) < atLeast ? 0 : effectEValue(draws, { threshold, side }),
      ),
    );
    return new Map(drawn.map(({ tip }, i) => [tip, rates[i] as number]));
  };
  const retired = ratesOf("below");
  const helpful = ratesOf("above");
  return tested.map(({ tip, draws, shown, dropped }) => {
    const retiredRate = retired.get(tip) ?? 1;
    const helpfulRate = helpful.get(tip) ?? 1;
    const call = retiredRate <= alpha ? "retired" : helpfulRate <= alpha ? "helpful" : "undecided";
    return { tip, call, shown, dropped, interval: anytimeInterval(draws, alpha), retiredRate, helpfulRate };
  });
}
