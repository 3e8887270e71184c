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
      outcome: taint.length === 0 ? "passed" : "failed",
      threshold: "nothing revoked",
      reason: taint.length === 0 ? "Nothing of it is revoked." : `It was trained on ${taint.join(", ")}.`,
    },
  ],
};

export default axis;
