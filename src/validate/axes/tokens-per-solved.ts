/**
 * Does a solved item cost more? Completion tokens of all attempts over the items solved, candidate over base.
 */
import type { AxisOutcome } from "../../records/gate.ts";
import { costRatio } from "../../statistics/cost-per-success.ts";
import { ratio as ratioText } from "../../statistics/figures.ts";
import type { Axis, SkillEvidence } from "../axis.ts";
import { tooFewFamilies } from "../deciding-interval.ts";

const axis: Axis = {
  summary: "a solved item costs no more tokens than the limit times what it costs the base",
  judge({ primary }, gate) {
    const { alpha, tokensPerSolved } = gate;
    if (tokensPerSolved === null) return [];
    const { atMost, allowInconclusive } = tokensPerSolved;
    const asked = { axis: "tokens-per-solved", kind: "limit" as const, threshold: `at most x ${atMost.toFixed(2)}` };
    if (solvesFromNothing(primary.costs)) {
      const reason = "The base solved nothing, so whatever a solved item costs is less.";
      return [
        { ...asked, outcome: "passed", isLetPass: false, estimate: null, interval: null, reason, neededItems: null },
      ];
    }
    const few = tooFewFamilies(primary.differences.length, gate);
    const cost = primary.costs === null ? null : costRatio(primary.costs, alpha);
    const interval = cost?.interval ?? null;
    const outcome: AxisOutcome =
      interval === null || few !== null
        ? "inconclusive"
        : interval.high <= atMost
          ? "passed"
          : interval.low > atMost
            ? "failed"
            : "inconclusive";
    const reason =
      primary.costs === null
        ? "The endpoint did not count tokens."
        : cost === null
          ? "An arm solved nothing, so what a solved item costs cannot be told."
          : (few ?? `A solved item costs ${ratioText(cost)}.`);
    const isLetPass = outcome === "inconclusive" && allowInconclusive;
    return [{ ...asked, outcome, isLetPass, estimate: cost?.ratio ?? null, interval, reason, neededItems: null }];
  },
};

export default axis;

function solvesFromNothing(costs: SkillEvidence["costs"]): boolean {
  const all = (costs ?? []).flat();
  return all.some(({ treatment }) => treatment.solved > 0) && all.every(({ reference }) => reference.solved === 0);
}
