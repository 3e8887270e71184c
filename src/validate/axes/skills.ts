/**
 * Is anything else worse? Every other skill, by non-inferiority. A skill at which the base is at the floor has nothing to
 * lose, so it says nothing.
 */
import type { Interval } from "../../records/comparison.ts";
import { percent, points, pointsInterval } from "../../statistics/figures.ts";
import { newcombeInterval } from "../../statistics/newcombe.ts";
import { itemsForNonInferiority, nonInferiority } from "../../statistics/non-inferiority.ts";
import { clusterInterval, pairedDifference } from "../../statistics/paired-difference.ts";
import type { Axis, SkillEvidence } from "../axis.ts";

/** Pairs that differ, from which the t interval covers what it says. */
const ENOUGH_PAIRS = 10;

const axis: Axis = {
  summary: "the candidate is not worse at any other skill by more than the margin",
  judge: ({ sides }, { alpha, floor, skills }) =>
    sides.map((side) => {
      const { margin, allowInconclusive } = skills;
      const estimate = pairedDifference(side.differences);
      const interval = intervalOf(side, alpha);
      const result = { axis: side.skill, kind: "side" as const, estimate: estimate.difference, interval };
      const asked = { ...result, threshold: `above ${points(-margin)} points` };
      if (side.baseRate <= floor) {
        const reason = `The base solves ${percent(side.baseRate)}, so there is nothing to lose.`;
        return { ...asked, outcome: "uninformative" as const, isLetPass: true, reason, neededItems: null };
      }
      const outcome = nonInferiority(interval, margin);
      return {
        ...asked,
        outcome,
        isLetPass: outcome === "inconclusive" && allowInconclusive,
        reason: `The difference is ${pointsInterval(interval)} points.`,
        neededItems: outcome === "inconclusive" ? neededFor(side, { margin, alpha }) : null,
      };
    }),
};

export default axis;

/**
 * The t interval over families; where few pairs differ it covers too little, down to no width at all, so there it is widened
 * to hold the score interval too, which is conservative there.
 */
function intervalOf({ differences, counts }: SkillEvidence, alpha: number): Interval | null {
  const interval = clusterInterval(pairedDifference(differences), alpha);
  if (interval === null || counts === null || counts.onlyTreatment + counts.onlyReference >= ENOUGH_PAIRS)
    return interval;
  const score = newcombeInterval(counts, alpha);
  return { low: Math.min(interval.low, score.low), high: Math.max(interval.high, score.high) };
}

function neededFor({ differences }: SkillEvidence, asked: { margin: number; alpha: number }): number | null {
  const { standardError, families } = pairedDifference(differences);
  const n = differences.flat().length;
  return standardError === null ? null : itemsForNonInferiority({ n, standardError, families }, asked);
}
