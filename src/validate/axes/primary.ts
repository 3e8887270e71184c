/**
 * Is the candidate better at what it was trained for? First-try success over all planned items, by the cluster-robust t
 * interval over families.
 */
import { pointsInterval } from "../../statistics/figures.ts";
import { hasSpread, pairedDifference } from "../../statistics/paired-difference.ts";
import { requiredItems } from "../../statistics/power.ts";
import type { Axis } from "../axis.ts";
import { decidingRates, tooFewFamilies } from "../deciding-interval.ts";

const axis: Axis = {
  summary: "the candidate solves more held-out items at the first try than the base",
  seesItems: true,
  judge({ primary }, gate) {
    const { alpha } = gate;
    const estimate = pairedDifference(primary.differences);
    const interval = decidingRates(primary, alpha);
    const { difference, families } = estimate;
    const result = { axis: primary.skill, kind: "primary" as const, isLetPass: false, estimate: difference, interval };
    const asked = { ...result, threshold: "above 0" };
    const n = primary.differences.flat().length;
    const found = `The difference is ${pointsInterval(interval)} points`;
    const few = tooFewFamilies(families, gate);
    if (few !== null) return [{ ...asked, outcome: "inconclusive", reason: few, neededItems: null }];
    if (interval !== null && interval.high < 0) {
      return [{ ...asked, outcome: "failed", reason: `${found}, wholly below 0.`, neededItems: null }];
    }
    if (interval !== null && interval.low > 0) {
      return [{ ...asked, outcome: "passed", reason: `${found}, wholly above 0.`, neededItems: null }];
    }
    const isNamed = interval !== null && hasSpread(estimate) && difference > 0;
    const neededItems = isNamed
      ? requiredItems({ n, families, difference, interval, bound: 0, truth: difference }, alpha)
      : null;
    return [{ ...asked, outcome: "inconclusive", reason: `${found}, which does not rule 0 out.`, neededItems }];
  },
};

export default axis;
