/**
 * Is the candidate better at what it was trained for? First-try success over all planned items, by the cluster-robust t
 * interval over families.
 */
import { pointsInterval } from "../../statistics/figures.ts";
import { mcnemar } from "../../statistics/mcnemar.ts";
import { clusterInterval, pairedDifference } from "../../statistics/paired-difference.ts";
import { minimumDetectable, requiredItems } from "../../statistics/power.ts";
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the candidate solves more held-out items at the first try than the base",
  judge({ primary }, { alpha, primary: { minFamilies } }) {
    const estimate = pairedDifference(primary.differences);
    const interval = clusterInterval(estimate, alpha);
    const { difference, families } = estimate;
    const result = { axis: primary.skill, kind: "primary" as const, isLetPass: false, estimate: difference, interval };
    const asked = { ...result, threshold: "above 0" };
    const n = primary.differences.flat().length;
    const detectable = minimumDetectable(estimate, alpha);
    const neededItems = detectable === null || difference <= 0 ? null : requiredItems(difference, { n, detectable });
    const found = `The difference is ${pointsInterval(interval)} points`;
    if (families < minFamilies) {
      const reason = `${families} families are too few to judge their own spread; ${minFamilies} are enough.`;
      return [{ ...asked, outcome: "inconclusive", reason, neededItems: null }];
    }
    if (interval !== null && interval.high < 0) {
      return [{ ...asked, outcome: "failed", reason: `${found}, wholly below 0.`, neededItems: null }];
    }
    // An interval without width means that the families happen to agree exactly, which a handful of items often do.
    const isSure = interval !== null && (interval.low < interval.high || signP(primary.differences) < alpha);
    if (interval !== null && interval.low > 0 && isSure) {
      return [{ ...asked, outcome: "passed", reason: `${found}, wholly above 0.`, neededItems: null }];
    }
    return [{ ...asked, outcome: "inconclusive", reason: `${found}, which does not rule 0 out.`, neededItems }];
  },
};

export default axis;

function signP(families: readonly (readonly number[])[]): number {
  const differences = families.flat();
  const onlyTreatment = differences.filter((one) => one > 0).length;
  const onlyReference = differences.filter((one) => one < 0).length;
  return mcnemar({ both: 0, onlyTreatment, onlyReference, neither: 0 }).midP;
}
