/**
 * Does a solved item cost more? Completion tokens of all attempts over the items solved, candidate over base.
 */
import type { AxisOutcome, AxisResult } from "../../records/gate.ts";
import { costLimit, costRatio } from "../../statistics/cost-per-success.ts";
import { ratio as ratioText } from "../../statistics/figures.ts";
import type { Axis, SkillEvidence } from "../axis.ts";
import { tooFewFamilies } from "../deciding-interval.ts";

const axis: Axis = {
  summary: "a solved item costs no more tokens than the limit times what it costs the base",
  seesItems: true,
  judge({ primary }, gate) {
    if (gate.tokensPerSolved === null) return [];
    const { atMost, allowInconclusive } = gate.tokensPerSolved;
    const asked = { axis: "tokens-per-solved", kind: "limit" as const, threshold: `at most x ${atMost.toFixed(2)}` };
    const few = primary.costs === null ? null : tooFewFamilies(primary.differences.length, gate);
    const cost = costOf(primary.costs, gate.alpha);
    const outcome = few === null ? outcomeOf(cost.interval, atMost) : "inconclusive";
    const isLetPass = outcome === "inconclusive" && allowInconclusive;
    return [{ ...asked, ...cost, outcome, isLetPass, reason: few ?? cost.reason, neededItems: null }];
  },
};

export default axis;

function outcomeOf(interval: AxisResult["interval"], atMost: number): AxisOutcome {
  if (interval === null) return "inconclusive";
  if (interval.high <= atMost) return "passed";
  return interval.low > atMost ? "failed" : "inconclusive";
}

/** What is known of the ratio: where the arm to beat solved nothing, no more than how high it can be. */
function costOf(costs: SkillEvidence["costs"], alpha: number): Pick<AxisResult, "estimate" | "interval" | "reason"> {
  const unknown = { estimate: null, interval: null };
  if (costs === null) return { ...unknown, reason: "The endpoint did not count tokens." };
  const cost = costRatio(costs, alpha);
  if (cost !== null) {
    return { estimate: cost.ratio, interval: cost.interval, reason: `A solved item costs ${ratioText(cost)}.` };
  }
  const high = costLimit(costs, alpha);
  if (high === null)
    return { ...unknown, reason: "An arm solved nothing, so what a solved item costs cannot be told." };
  const items = costs.flat().length;
  const reason = `The arm to beat solved none of ${items}; as many as it may miss by chance, a solved item costs at most x ${high.toFixed(2)}.`;
  return { estimate: null, interval: { low: 0, high }, reason };
}
