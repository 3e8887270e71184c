/**
 * Keeps a verified solution as a worked example for similar items.
 * A verdict with any flag teaches nothing: its pass may not be the action's merit.
 */
import type { ReflectorRule } from "../role.ts";
import { solvedExample } from "../solved-example.ts";

const rule: ReflectorRule = {
  role: "reflector",
  reflect({ skill, item, call, verdict }) {
    if (call === null || !verdict.passed || verdict.flags.length > 0) return null;
    return solvedExample(skill, item, call);
  },
};

export default rule;
