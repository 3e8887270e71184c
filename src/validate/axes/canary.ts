/**
 * Was it the candidate that was judged, and the champion that it was to beat? An adapter that is served but not applied would pass
 * every other axis as the base, and is as easily beaten.
 */
import type { AxisOutcome } from "../../records/gate.ts";
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the adapters of all arms were proven to be live at the endpoint that was judged",
  judge({ isLive, notApplied = [] }) {
    const asked = { axis: "canary", kind: "limit" as const, threshold: "live", isLetPass: false };
    const figures = { estimate: null, interval: null, neededItems: null };
    return [{ ...asked, ...figures, ...foundOf(isLive, notApplied) }];
  },
};

function foundOf(isLive: boolean | null, notApplied: readonly string[]): { outcome: AxisOutcome; reason: string } {
  if (isLive === null) return { outcome: "inconclusive", reason: "The endpoint cannot score the probes." };
  if (isLive) return { outcome: "passed", reason: "All adapters are live." };
  if (notApplied.length === 0) return { outcome: "failed", reason: "An adapter is not applied." };
  return { outcome: "failed", reason: `Not applied: the adapter of ${notApplied.join(", ")}.` };
}

export default axis;
