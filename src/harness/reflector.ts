/**
 * What is learnt from an attempt: by a rule, or by a model that writes lessons after a failure and after a first-try win.
 * A model's answer that does not parse stays on its turn as it came, and teaches nothing.
 */
import type { ActionCall } from "../records/events.ts";
import { type AttemptId, attemptParts } from "../records/ids.ts";
import { LESSONS } from "../records/role-answer.ts";
import type { Verdict } from "../records/verdict.ts";
import { atBoundary } from "../skills/at-boundary.ts";
import type { ActionResult } from "../skills/contract.ts";
import { outputText } from "./auditor.ts";
import type { Bench } from "./bench.ts";
import { actionText, historyText, outcomeText } from "./history.ts";
import type { Lesson } from "./role.ts";
import { callRole } from "./role-call.ts";
import type { ItemWork } from "./run-state.ts";
import { tipOf } from "./tips.ts";

export interface Seen {
  work: ItemWork;
  call: ActionCall | null;
  result: ActionResult | null;
  verdict: Verdict;
}

/** Saves what the reflector learns; the next prompt may hold it. The same lesson of the same item is saved once a run. */
export async function reflect(bench: Bench, seen: Seen, at: { attempt: AttemptId; turnNumber: number }): Promise<void> {
  const { reflector, memory, log, skill } = bench;
  const { item } = seen.work;
  if (reflector === null || memory === null || item.split !== "train") return;
  const lessons = "model" in reflector ? await lessonsOf(bench, seen, at) : [await ruled(bench, seen)];
  for (const lesson of lessons) {
    if (lesson === null) continue;
    const tip = tipOf(lesson, { run: log.run, item, attempt: at.attempt, skill });
    if (memory.has(tip.tip)) continue;
    log.append({ type: "tip_saved", data: tip });
    memory.add(tip, item.kind);
  }
}

async function ruled({ reflector, skill }: Bench, { work, call, verdict }: Seen): Promise<Lesson | null> {
  if (reflector === null || "model" in reflector) return null;
  return atBoundary("workspace", () => reflector.reflect({ skill, item: work.item, call, verdict }));
}

async function lessonsOf(
  bench: Bench,
  { work, call, result, verdict }: Seen,
  at: { attempt: AttemptId; turnNumber: number },
): Promise<Lesson[]> {
  const { reflector, skill } = bench;
  if (reflector === null || !("model" in reflector)) return [];
  if (verdict.passed && attemptParts(at.attempt).n > 1) return [];
  const { value } = await callRole(bench, {
    role: "reflector",
    endpoint: reflector.model,
    prompt: "reflector-reflect",
    form: LESSONS,
    variables: {
      task: work.item.task,
      action: actionText(skill, call),
      result: result === null ? "" : outputText(result),
      outcome: outcomeText(skill, verdict),
      attempts: historyText(skill, work.history),
    },
    ...at,
  });
  return (value?.tips ?? []).map((tip) => ({ ...tip, example: null, about: work.item.task }));
}
