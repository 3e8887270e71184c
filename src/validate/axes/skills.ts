/**
 * Is anything else worse? Every other skill, by non-inferiority.
 */
import type { Axis } from "../axis.ts";
import { harmAtSkill, worseOf } from "../harm.ts";

const axis: Axis = {
  summary: "the candidate is not worse at any other skill by more than the margin",
  judge: ({ sides }, gate) =>
    sides.map(({ toBase, ...side }) => {
      const base = toBase === undefined ? null : harmAtSkill(toBase, gate);
      return { ...worseOf(harmAtSkill(side, gate), base), kind: "side" };
    }),
};

export default axis;
