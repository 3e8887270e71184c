/**
 * The auditor looks at what passed and says whether it passed for the right reason. Its opinion is a verdict of the kind
 * `judgment`: it can be filtered on and never decides.
 */
import type { ActionCall } from "../records/events.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import { REVIEW } from "../records/role-answer.ts";
import type { Verdict } from "../records/verdict.ts";
import type { ActionResult } from "../skills/contract.ts";
import type { Bench } from "./bench.ts";
import { actionText } from "./history.ts";
import { callRole } from "./role-call.ts";

/** An opinion is never as sure as a check. */
const MOST_CONFIDENCE = 0.9;

/** Returns the auditor's verdict; null where its answer was not understood. */
export async function review(
  bench: Bench,
  seen: { item: Item; call: ActionCall; result: ActionResult },
  at: { attempt: AttemptId; turnNumber: number },
): Promise<Verdict | null> {
  const { auditor, skill } = bench;
  if (auditor === null) return null;
  const { turn, value } = await callRole(bench, {
    role: "auditor",
    endpoint: auditor,
    prompt: "auditor-review",
    form: REVIEW,
    variables: { task: seen.item.task, action: actionText(skill, seen.call), result: outputText(seen.result) },
    ...at,
  });
  if (value === null) return null;
  const { rightReason, confidence, why } = value;
  return {
    value: rightReason ? 1 : 0,
    confidence: Math.min(confidence, MOST_CONFIDENCE),
    passed: rightReason,
    failureMode: rightReason ? null : "wrong-reason",
    signalType: "judgment",
    verifier: { id: "auditor", version: auditor.adapterHash ?? auditor.baseHash ?? auditor.model },
    before: null,
    evidence: { turn, why },
    flags: [],
  };
}

/** Output as a prompt shows it. */
export function outputText({ stdout, stderr }: ActionResult): string {
  return [stdout, stderr]
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .join("\n");
}
