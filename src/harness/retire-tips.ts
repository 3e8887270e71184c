/**
 * Which tips a rule retires, and the reason that is recorded. `effect`: the draws show that the tip lowers success, judged
 * over all tips so that false calls stay few. `classic`: attempts that read it ended badly on average, which is
 * confounded with the items that it was retrieved for, and so is never the default.
 */
import type { Json } from "../foundation/canonical-json.ts";
import { counted } from "../foundation/counted.ts";
import { meanOf } from "../foundation/sums.ts";
import type { TipId } from "../records/ids.ts";
import { percent, points, pointsInterval } from "../statistics/figures.ts";
import { isBelowMeanUtility } from "../statistics/mean-utility.ts";
import type { CreditRule, DrawnTip, TipCredit } from "../statistics/tip-credit.ts";

export interface ProposedRetirement {
  tip: TipId;
  reason: string;
  evidence: Record<string, Json>;
}

/** Tips whose effect is shown to lie below the threshold; `credits` are those of all tips that were drawn. */
export function harmfulTips(
  tips: readonly DrawnTip[],
  credits: ReadonlyMap<TipId, TipCredit>,
  rule: CreditRule,
): ProposedRetirement[] {
  return tips.flatMap(({ tip }): ProposedRetirement[] => {
    const credit = credits.get(tip);
    if (credit?.verdict.call !== "retired") return [];
    const { effect, verdict } = credit;
    const { interval, shown, dropped, retiredRate } = verdict;
    const estimate = effect.estimate === null ? "" : `${points(effect.estimate)} points, `;
    const reason =
      `its effect is below ${points(rule.threshold)} points: ${estimate}` +
      `${pointsInterval(interval)} at any time of looking, ${shown} draws showed it and ${dropped} left it out`;
    const figures = { estimate: effect.estimate, low: interval.low, high: interval.high, rate: retiredRate };
    return [{ tip, reason, evidence: { ...rule, ...figures, shown, dropped } }];
  });
}

/** Tips that were read in at least so many attempts whose mean outcome lies below the threshold. */
export function uselessTips(
  tips: readonly DrawnTip[],
  { threshold, atLeast }: { threshold: number; atLeast: number },
): ProposedRetirement[] {
  return tips.flatMap(({ tip, draws }): ProposedRetirement[] => {
    const outcomes = draws.filter(({ isShown }) => isShown).map(({ outcome }) => outcome);
    if (!isBelowMeanUtility(outcomes, { atLeast, below: threshold })) return [];
    const mean = meanOf(outcomes);
    const reason = `mean outcome ${percent(mean)} over ${counted(outcomes.length, "attempt")} that read it, below ${percent(threshold)}`;
    return [{ tip, reason, evidence: { threshold, atLeast, shown: outcomes.length, mean } }];
  });
}
