/**
 * Is general ability kept? By the log-likelihood of reference texts, paired: it needs far fewer texts than counting
 * right and wrong answers.
 */
import type { Axis } from "../axis.ts";
import { harmAtTexts, worseOf } from "../harm.ts";

const axis: Axis = {
  summary: "the candidate finds reference texts of general tasks no less likely than the base by more than the margin",
  judge: ({ general }, gate) =>
    general.map(({ name, differences, toBase }) => {
      const base = toBase === undefined ? null : harmAtTexts({ name, differences: toBase }, gate);
      return { ...worseOf(harmAtTexts({ name, differences }, gate), base), kind: "side" };
    }),
};

export default axis;
