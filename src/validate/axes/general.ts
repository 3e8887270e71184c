/**
 * Is general ability kept? By the log-likelihood of reference texts, paired: it needs far fewer texts than counting
 * right and wrong answers.
 */
import { itemsForNonInferiority, nonInferiority } from "../../statistics/non-inferiority.ts";
import { meanInterval, pairedDifference } from "../../statistics/paired-difference.ts";
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the candidate finds reference texts of general tasks no less likely than the base by more than the margin",
  judge: ({ general }, { alpha, general: { margin, allowInconclusive } }) =>
    general.map(({ name, differences }) => {
      const estimate = pairedDifference(differences);
      const interval = meanInterval(estimate, alpha);
      const outcome = nonInferiority(interval, margin);
      const { standardError, families } = estimate;
      const n = differences.flat().length;
      const shown =
        interval === null ? "cannot be told" : `${nats(interval.low)} to ${nats(interval.high)} nats a token`;
      return {
        ...{ axis: name, kind: "side" as const, outcome, estimate: estimate.difference, interval },
        isLetPass: outcome === "inconclusive" && allowInconclusive,
        threshold: `above ${nats(-margin)} nats a token`,
        reason: `The difference is ${shown}.`,
        neededItems:
          outcome === "inconclusive" && standardError !== null
            ? itemsForNonInferiority({ n, standardError, families }, { margin, alpha })
            : null,
      };
    }),
};

export default axis;

function nats(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
}
