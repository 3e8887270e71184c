/**
 * Which of two tips is credibly worth more, over many pairs at once: by the difference of their shrunken effects, and by
 * that of their effects as the draws alone give them. The first allows for the best of many looking better than it is,
 * the second holds whatever the other tips of the group are like; a pair has to pass both. Knows no texts.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import { benjaminiHochberg } from "../statistics/benjamini-hochberg.ts";
import { normalCdf, normalQuantile } from "../statistics/normal.ts";
import { studentTCdf } from "../statistics/student-t.ts";
import type { TipCredit } from "../statistics/tip-credit.ts";
import type { CreditedTip } from "./credit.ts";

export interface ComparedTip {
  tip: string;
  credit: TipCredit;
}

export interface TipPair<T extends ComparedTip> {
  /** The one that is worth more. */
  chosen: T;
  rejected: T;
  /** Of their shrunken effects, positive. */
  difference: number;
  /** At the level that is left for one of as many pairs as were found credible. */
  interval: Interval;
  /** The smallest false discovery rate at which the pair would be credible. */
  rate: number;
}

/** Tells whether a tip's effect is known well enough, and drawn towards others, to be compared. */
export function isComparable({ effect, shrunken }: TipCredit): boolean {
  return effect.kind === "randomised" && effect.interval !== null && shrunken !== null;
}

/**
 * The most by which the probabilities of a tip's draws may differ: with more, and pass rates that change along with them, the rate
 * that is promised of pairs was not kept in simulations (docs/memory.md, "Where it does not").
 */
const MOST_SPREAD = 5;

type Drawn = Pick<CreditedTip, "credit" | "drawnAlike" | "drawSpread">;

/** Why a tip's effect cannot be compared with any; null where it can. Does not depend on how large it is. */
export function whyIncomparable({ credit, drawnAlike, drawSpread }: Drawn): string | null {
  if (credit.effect.kind === "observational") return "observational";
  if (drawnAlike.length > 0) return "drawn-alike";
  if (drawSpread > MOST_SPREAD + 1e-9) return "drawn-unlike";
  return isComparable(credit) ? null : "effect-unknown";
}

/**
 * Tests each pair and keeps those whose difference is credibly not 0: among them a share of at most alpha is wrong on average.
 * Shapes: tips are comparable; each pair is given once. `kept` comes surest first.
 * Source: Benjamini and Hochberg 1995, JRSS B 57:289; pairs that share a tip depend on each other, and the rate is kept
 * over all pairwise comparisons (Williams, Jones and Tukey 1999, J Educ Behav Stat 24:42, by simulation, as here); intervals at
 * the level alpha x kept / tested: Benjamini and Yekutieli 2005, JASA 100:71.
 */
export function crediblePairs<T extends ComparedTip>(
  pairs: readonly (readonly [T, T])[],
  alpha: number,
): { kept: TipPair<T>[]; refused: TipPair<T>[] } {
  const tested = pairs.map(([one, other]) => {
    const isOrdered = shrunkenOf(one).estimate >= shrunkenOf(other).estimate;
    return isOrdered ? { chosen: one, rejected: other } : { chosen: other, rejected: one };
  });
  const rates = benjaminiHochberg(tested.map(pairPValue));
  const ranked = tested
    .map((pair, i) => ({ ...pair, rate: rates[i] as number }))
    .sort((x, y) => x.rate - y.rate || byNames(x, y));
  const count = ranked.filter(({ rate }) => rate <= alpha).length;
  const half = normalQuantile(1 - (alpha * Math.max(1, count)) / Math.max(1, ranked.length) / 2);
  const told = ranked.map((pair): TipPair<T> => {
    const { difference, standardError } = shrunkenDifference(pair);
    const interval = { low: difference - half * standardError, high: difference + half * standardError };
    return { ...pair, difference, interval };
  });
  return { kept: told.slice(0, count), refused: told.slice(count) };
}

/** Keeps pairs in their order as long as neither of its tips is in `perTip` others already. */
export function capPerTip<T extends ComparedTip>(
  pairs: readonly TipPair<T>[],
  perTip: number,
): { kept: TipPair<T>[]; refused: TipPair<T>[] } {
  const counts = new Map<string, number>();
  const kept: TipPair<T>[] = [];
  const refused: TipPair<T>[] = [];
  for (const pair of pairs) {
    const tips = [pair.chosen.tip, pair.rejected.tip];
    const hasRoom = tips.every((tip) => (counts.get(tip) ?? 0) < perTip);
    (hasRoom ? kept : refused).push(pair);
    if (hasRoom) for (const tip of tips) counts.set(tip, (counts.get(tip) ?? 0) + 1);
  }
  return { kept, refused };
}

interface Ordered {
  chosen: ComparedTip;
  rejected: ComparedTip;
}

/** The larger of two: each is the chance of a difference as large as this where there is none. */
function pairPValue(pair: Ordered): number {
  const { difference, standardError } = shrunkenDifference(pair);
  const shrunken = 2 * normalCdf(-Math.abs(difference) / standardError);
  return Math.max(shrunken, unshrunkenPValue(pair));
}

/** Errors count as independent, though both are drawn towards one mean: that only makes their difference surer. */
function shrunkenDifference({ chosen, rejected }: Ordered): { difference: number; standardError: number } {
  const [one, other] = [shrunkenOf(chosen), shrunkenOf(rejected)];
  return {
    difference: one.estimate - other.estimate,
    standardError: Math.hypot(one.standardError, other.standardError),
  };
}

/** Welch's t test, one-sided at half the level: what points the other way says nothing for the pair. */
function unshrunkenPValue({ chosen, rejected }: Ordered): number {
  const parts = [chosen, rejected].map(({ credit }) => {
    const { estimate, standardError, degreesOfFreedom } = credit.effect;
    return { estimate: estimate ?? 0, variance: (standardError ?? 1) ** 2, freedom: degreesOfFreedom ?? 1 };
  });
  const variance = sumOf(parts, (part) => part.variance);
  const freedom = variance ** 2 / sumOf(parts, (part) => part.variance ** 2 / part.freedom);
  const [one, other] = parts.map(({ estimate }) => estimate) as [number, number];
  return Math.min(1, 2 * studentTCdf((other - one) / Math.sqrt(variance), freedom));
}

function shrunkenOf({ credit }: ComparedTip): NonNullable<TipCredit["shrunken"]> {
  return credit.shrunken as NonNullable<TipCredit["shrunken"]>;
}

function byNames(x: Ordered, y: Ordered): number {
  const [one, other] = [`${x.chosen.tip} ${x.rejected.tip}`, `${y.chosen.tip} ${y.rejected.tip}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
