/**
 * What was tried at an item before, as the roles read it.
 */
import type { ActionCall } from "../records/events.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Skill } from "../skills/contract.ts";

/** More would fill a prompt with old mistakes. */
const SHOWN_ATTEMPTS = 5;
/** Failures of one kind in a row, or the same action twice, after which going on the same way is pointless. */
const PLATEAU_ATTEMPTS = 3;

export interface Tried {
  n: number;
  call: ActionCall | null;
  verdict: Verdict;
}

/** Writes an action as its skill's answers write it. */
export function actionText(skill: Skill, call: ActionCall | null): string {
  if (call === null) return "(no action could be read from the answer)";
  return skill.answerText?.(call) ?? JSON.stringify(call.arguments);
}

/** Says what came of an attempt. */
export function outcomeText(skill: Skill, verdict: Verdict): string {
  if (verdict.passed) return "It passed.";
  const reason = skill.explain?.(verdict) ?? "";
  return `It failed: ${verdict.failureMode ?? "unknown"}.${reason === "" ? "" : ` ${reason}`}`;
}

/** Renders the last failed attempts, oldest first; an empty text where there are none. */
export function historyText(skill: Skill, tried: readonly Tried[]): string {
  return tried
    .slice(-SHOWN_ATTEMPTS)
    .map(({ n, call, verdict }) => `Attempt ${n}:\n${actionText(skill, call)}\n${outcomeText(skill, verdict)}`)
    .join("\n\n");
}

/** Whether the last attempts repeat each other: the same action twice in a row, or one way to fail three times. */
export function isPlateau(tried: readonly Tried[]): boolean {
  const [before, last] = tried.slice(-2);
  if (before !== undefined && last !== undefined && last.call !== null && sameCall(before.call, last.call)) return true;
  const recent = tried.slice(-PLATEAU_ATTEMPTS);
  const modes = new Set(recent.map(({ verdict }) => verdict.failureMode));
  return recent.length === PLATEAU_ATTEMPTS && modes.size === 1;
}

function sameCall(one: ActionCall | null, other: ActionCall | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
