/**
 * Was it the candidate that was judged? An adapter that is served but not applied would pass every other axis as the base.
 */
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the adapter was proven to be live at the endpoint that was judged",
  judge: ({ isLive }) => [
    {
      ...{
        axis: "canary",
        kind: "limit" as const,
        isLetPass: false,
        estimate: null,
        interval: null,
        neededItems: null,
      },
      outcome: isLive === null ? "inconclusive" : isLive ? "passed" : "failed",
      threshold: "live",
      reason: isLive === null ? "The endpoint cannot score the probes." : isLive ? "It is live." : "It is not applied.",
    },
  ],
};

export default axis;
