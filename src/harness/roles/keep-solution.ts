/**
 * Keeps a verified solution as a worked example for similar items.
 * A verdict with any flag teaches nothing: its pass may not be the action's merit.
 */
import type { ReflectorRule } from "../role.ts";

const rule: ReflectorRule = {
  role: "reflector",
  reflect({ skill, item, call, verdict }) {
    if (call === null || !verdict.passed || verdict.flags.length > 0) return null;
    const example = skill.workedExample(item, call);
    return {
      type: "strategy",
      text: example.map(({ content }) => content ?? "").join("\n\n"),
      example,
      mechanism: null,
      conditions: null,
      about: item.task,
    };
  },
};

export default rule;
