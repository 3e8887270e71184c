/**
 * The first gate: first-try success over all planned items, judged by the cluster-robust t interval over families.
 */
import { pointsInterval, pointsSize, pValue } from "../../statistics/figures.ts";
import type { Gate } from "../gate.ts";

/** Below this the families are too few to judge their own spread well. */
const ENOUGH_FAMILIES = 10;

const gate: Gate = {
  summary: "better or worse where the cluster-robust t interval over families lies wholly on one side of 0",
  judge(pair, alpha) {
    const { clusterInterval: interval, families, midP, minimumDetectable } = pair;
    const cautions =
      families < ENOUGH_FAMILIES
        ? [`Only ${families} families: the interval is sound from about ${ENOUGH_FAMILIES} up. Read it with care.`]
        : [];
    if (interval === null) {
      return { verdict: "inconclusive", reasons: ["One family alone cannot show how families differ.", ...cautions] };
    }
    const found = `The difference over families is ${pointsInterval(interval)} points`;
    if (interval.low <= 0 && interval.high >= 0) {
      const seen =
        minimumDetectable === null
          ? ""
          : ` A true difference below about ${pointsSize(minimumDetectable)} points would often stay unseen here.`;
      return { verdict: "inconclusive", reasons: [`${found}, which holds 0.${seen}`, ...cautions] };
    }
    // An interval without width means that the families happen to agree exactly, which a handful of items often do.
    if (interval.low === interval.high && midP >= alpha) {
      const doubt = `${found}, but so few items differ that this may be chance (McNemar mid-p ${pValue(midP)}).`;
      return { verdict: "inconclusive", reasons: [doubt, ...cautions] };
    }
    const side = interval.low > 0 ? "above" : "below";
    return { verdict: interval.low > 0 ? "better" : "worse", reasons: [`${found}, wholly ${side} 0.`, ...cautions] };
  },
};

export default gate;
