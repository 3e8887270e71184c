/**
 * Is it worse by what another tool measured of base and candidate? Such results are files that nothing ties to the arms of
 * this comparison, so they can speak against a candidate, and are no evidence that harm would have been seen.
 */
import { points } from "../../statistics/figures.ts";
import type { Axis } from "../axis.ts";
import { harmAtSkill } from "../harm.ts";

const axis: Axis = {
  summary: "the candidate is not worse by the results of another tool, as far as they can be paired",
  judge: ({ foreign }, gate) =>
    foreign.map((found) => {
      const kind = "limit" as const;
      if (!("missing" in found)) return { ...harmAtSkill(found, gate), kind };
      const { skill: axis, missing: reason } = found;
      const { margin, allowInconclusive: isLetPass } = gate.skills;
      const asked = { axis, kind, threshold: `above ${points(-margin)} points`, reason, isLetPass };
      return { ...asked, outcome: "inconclusive", estimate: null, interval: null, neededItems: null };
    }),
};

export default axis;
