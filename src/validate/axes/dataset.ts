/**
 * Is the candidate made of what still stands? Nothing that was revoked may be in its lineage.
 */
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "nothing that the adapter was trained on is revoked",
  needsNoRun: true,
  judge: ({ taint }) => [
    {
      ...{
        axis: "dataset",
        kind: "limit" as const,
        isLetPass: false,
        estimate: null,
        interval: null,
        neededItems: null,
      },
      outcome: taint === null ? "inconclusive" : taint.length === 0 ? "passed" : "failed",
      threshold: "nothing revoked",
      reason: reasonOf(taint),
    },
  ],
};

export default axis;

function reasonOf(taint: string[] | null): string {
  if (taint === null) return "Something of its lineage is gone, and may be what is revoked.";
  return taint.length === 0 ? "Nothing of it is revoked." : `It ${taint.join(", and ")}.`;
}
