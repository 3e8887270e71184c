/**
 * Is general ability kept? By the log-likelihood of reference texts, or of right answers among wrong ones, paired: it needs far
 * fewer texts than counting right and wrong answers.
 */
import type { Axis } from "../axis.ts";
import { harmAtTexts, worseOf } from "../harm.ts";

const axis: Axis = {
  summary:
    "the candidate finds reference texts of general tasks no less likely than the base by more than their margin",
  judge: ({ general }, gate) =>
    general.map(({ name, per, differences, toBase }) => {
      const base = toBase === undefined ? null : harmAtTexts({ name, per, differences: toBase }, gate);
      return { ...worseOf(harmAtTexts({ name, per, differences }, gate), base), kind: "side" };
    }),
};

export default axis;
