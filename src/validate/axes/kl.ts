/**
 * Has the candidate moved too far from the base, whatever the items say?
 */
import type { Axis } from "../axis.ts";

const axis: Axis = {
  summary: "the candidate lies no further from the base than the budget allows",
  judge({ kl }, { kl: limit }) {
    if (limit === null) return [];
    const asked = { axis: "kl", kind: "limit" as const, threshold: `at most ${limit.atMost} nats a token` };
    const reason = kl === null ? "It was not measured." : `It lies ${kl.toFixed(3)} nats a token from the base.`;
    const outcome = kl === null ? "inconclusive" : kl <= limit.atMost ? "passed" : "failed";
    const isLetPass = outcome === "inconclusive" && limit.allowInconclusive === true;
    return [{ ...asked, outcome, isLetPass, estimate: kl, interval: null, reason, neededItems: null }];
  },
};

export default axis;
