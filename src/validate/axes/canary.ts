/**
 * Was it the candidate that was judged, and the champion that it was to beat? An adapter that is served but not applied would pass
 * every other axis as the base, and is as easily beaten.
 */
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the adapters of all arms were proven to be live at the endpoint that was judged",
  judge: ({ isLive, notApplied = [] }) => [
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
      reason:
        isLive === null
          ? "The endpoint cannot score the probes."
          : isLive
            ? "All adapters are live."
            : notAppliedReason(notApplied),
    },
  ],
};

function notAppliedReason(arms: readonly string[]): string {
  return arms.length === 0 ? "An adapter is not applied." : `Not applied: the adapter of ${arms.join(", ")}.`;
}

export default axis;
