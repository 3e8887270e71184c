/**
 * What each tip is worth, from its recorded draws: its effect by itself, shrunken towards those of its like, and what all
 * tips together allow to be said. Figures only; what becomes of a tip is decided elsewhere.
 */
import { groupBy } from "../foundation/group-by.ts";
import { meanOrNull } from "../foundation/sums.ts";
import type { Interval } from "../records/comparison.ts";
import type { TipId } from "../records/ids.ts";
import { hajekContrast, type TipEffect } from "./hajek-contrast.ts";
import { FEWEST_EFFECTS, shrinkEffects } from "./shrinkage.ts";
import type { TipDraw } from "./tip-draw.ts";
import { judgeTips, type TipVerdict } from "./tip-retirement.ts";

export interface DrawnTip {
  tip: TipId;
  /** Family that it was learnt on. */
  family: string;
  draws: readonly TipDraw[];
}

export interface TipCredit {
  effect: TipEffect;
  /** Null where too few tips have an interval. */
  shrunken: {
    estimate: number;
    standardError: number;
    interval: Interval;
    among: number;
    group: "family" | "skill";
  } | null;
  verdict: TipVerdict;
  /** Mean outcome of the attempts that the tip was shown in; null where there is none. */
  meanShown: number | null;
}

export interface CreditRule {
  alpha: number;
  threshold: number;
  atLeast: number;
}

/** What is asked for where nobody says otherwise: does the tip lower success at all, at 95 %? */
export const CREDIT_RULE: CreditRule = { alpha: 0.05, threshold: 0, atLeast: 10 };

/**
 * Credits all tips of a skill together; an effect is shrunken among the tips of its family where four have an interval,
 * else among those of the skill.
 * Shapes: `tips` are all of the skill's, those already retired among them; each with its draws in order.
 */
export function creditTips(tips: readonly DrawnTip[], rule: CreditRule): Map<TipId, TipCredit> {
  const effects = new Map(tips.map(({ tip, draws }) => [tip, hajekContrast(draws, rule.alpha)]));
  const shrunken = shrunkenAmong(tips, effects, rule.alpha);
  const verdicts = judgeTips(tips, rule);
  return new Map(
    tips.map(({ tip, draws }, i) => [
      tip,
      {
        effect: effects.get(tip) as TipEffect,
        shrunken: shrunken.get(tip) ?? null,
        verdict: verdicts[i] as TipVerdict,
        meanShown: meanOrNull(draws.filter(({ isShown }) => isShown).map(({ outcome }) => outcome)),
      },
    ]),
  );
}

function shrunkenAmong(tips: readonly DrawnTip[], effects: ReadonlyMap<TipId, TipEffect>, alpha: number) {
  const known = tips.flatMap(({ tip, family }) => {
    const { kind, estimate, standardError, degreesOfFreedom } = effects.get(tip) as TipEffect;
    const isKnown = kind === "randomised" && estimate !== null && standardError !== null && degreesOfFreedom !== null;
    return isKnown ? [{ tip, family, estimate, standardError, degreesOfFreedom }] : [];
  });
  const families = [...groupBy(known, ({ family }) => family).values()];
  const shrunken = new Map<TipId, NonNullable<TipCredit["shrunken"]>>();
  const groups = [known, ...families.filter((group) => group.length >= FEWEST_EFFECTS && group.length < known.length)];
  for (const [i, group] of groups.entries()) {
    const among = shrinkEffects(group, alpha);
    for (const [place, { estimate, standardError, interval }] of among?.effects.entries() ?? [])
      shrunken.set(group[place]?.tip as TipId, {
        ...{ estimate, standardError, interval, among: group.length },
        group: i === 0 ? "skill" : "family",
      });
  }
  return shrunken;
}
