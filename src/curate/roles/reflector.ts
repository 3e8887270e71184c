/**
 * What a reflector's answer was worth: whether its tips raised or lowered success, by their randomised effects. An answer
 * of several tips is judged by the mean of their effects; what is known of one tip may hang together with what is known of
 * another, so the interval of the mean is the mean of the intervals, which holds however they do.
 */
import { groupBy } from "../../foundation/group-by.ts";
import { meanOf } from "../../foundation/sums.ts";
import { CREDIT_RULE } from "../../statistics/tip-credit.ts";
import { sqlText } from "../../store/duckdb.ts";
import { ownEffect, readCredits } from "../credit.ts";
import { NO_LABELS, unusableAnswers } from "../label-query.ts";
import type { RoleRule } from "../role-rule.ts";

const rule: RoleRule = {
  summary:
    "a reflector's answer is good where the draws show that its tips raised success, and bad where they lowered it; an effect " +
    "that is observational, or not told apart from nothing, labels nothing",
  async labels(lake, runs) {
    const written = (await readCredits(lake, { runs })).filter(({ source }) => runs.includes(source.run));
    const labels = [...groupBy(written, ({ source }) => source.turn)].flatMap(([turn, tips]) => {
      const mean = meanEffect(tips.map(ownEffect));
      if (turn === null || mean === null || (mean.low <= 0 && mean.high >= 0)) return [];
      const run = tips[0]?.source.run ?? "";
      const value = (1 + mean.estimate) / 2;
      return [
        `(${sqlText(run)}, ${sqlText(turn)}, ${mean.low > 0}, ${value}::DOUBLE, ${1 - CREDIT_RULE.alpha}::DOUBLE)`,
      ];
    });
    const told =
      labels.length === 0
        ? NO_LABELS
        : `SELECT *, 'tip-effect' AS rule FROM (VALUES ${labels.join(", ")}) AS l(run, turn, passed, "value", confidence)`;
    return `${told} UNION ALL ${unusableAnswers("reflector", runs)}`;
  },
};

function meanEffect(
  effects: readonly ReturnType<typeof ownEffect>[],
): { estimate: number; low: number; high: number } | null {
  const known = effects.filter((effect) => effect !== null);
  if (known.length === 0 || known.length < effects.length) return null;
  return {
    estimate: meanOf(known, ({ estimate }) => estimate),
    low: meanOf(known, ({ interval }) => interval.low),
    high: meanOf(known, ({ interval }) => interval.high),
  };
}

export default rule;
