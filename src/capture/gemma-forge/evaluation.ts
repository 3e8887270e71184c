/**
 * What an evaluation of gemma-forge is worth. The harness's own `passed` rests on searches for words: `PASS` anywhere in a
 * line that holds the rule's id, `HEALTHY` anywhere in a text that may say `UNHEALTHY`. So the verdict is made anew from the
 * raw texts; where these cannot tell, it is flagged and of no confidence, never guessed.
 */
import type { Verdict } from "../../records/verdict.ts";
import { foreignVerdict } from "../foreign.ts";
import { type JsonObject, numberIn, textIn } from "../reading/shapes.ts";

export interface Evaluated {
  rule: string;
  title: string;
  /** What is known of the attempt beside the evaluation. */
  attempt: {
    /** Whether a script was applied, as far as the log tells. */
    isApplied: boolean;
    /** Whether a text that the agent wrote was cut. */
    isClipped: boolean;
    /** Whether the environment was known to be broken, or the model's endpoint failed. */
    isSuspect: boolean;
  };
}

type Flag = Verdict["flags"][number];

/** The harness does not say which of its revisions wrote the log. */
const VERSION = "unknown";

/** Null where the evaluation holds nothing that could be judged. */
export function verdictOf(evaluation: JsonObject, evaluated: Evaluated) {
  if (typeof evaluation.rule_check === "string") return stigVerdict(evaluation, evaluated);
  if (evaluation.advisory_cleared !== undefined) return cveVerdict(evaluation, evaluated);
  return null;
}

function stigVerdict(evaluation: JsonObject, { rule, title, attempt }: Evaluated) {
  const check = textIn(evaluation.rule_check) ?? "";
  const isHealthy = /^\s*HEALTHY\b/.test(textIn(evaluation.health) ?? "");
  const isRulePassed = /=\s*PASS\s*$/.test(check);
  const passed = isHealthy && isRulePassed;
  // The harness finds "pass" in the rule's own name and reports PASS whatever the scanner said.
  const isUntold = isRulePassed && /pass/i.test(`${rule} ${title}`);
  const flags = [...flagsOf(attempt, passed), ...(isUntold ? (["evaluator-gap", "conflict"] as const) : [])];
  return foreignVerdict({
    value: passed ? 1 : 0,
    // A broken host failed the attempt whatever the rule's check says.
    confidence: isUntold && isHealthy ? 0 : 1,
    failureMode: passed ? null : isHealthy ? "rule-fails" : "health_failure",
    verifier: { id: "gemma-forge-stig", version: VERSION },
    evidence: evaluation,
    flags: isHealthy ? flags : flags.filter((flag) => flag !== "conflict"),
  });
}

/** An advisory that is no longer listed passes; the listing fails open, so it passes too where the command failed. */
function cveVerdict(evaluation: JsonObject, { attempt }: Evaluated) {
  const signal = (evaluation.outcome_signal ?? {}) as JsonObject;
  const health = textIn(evaluation.health);
  const isHealthy = health === null || /^\s*HEALTHY\b/.test(health);
  const isProvisional = evaluation.failure_mode === "needs_reboot";
  const passed = evaluation.advisory_cleared === true && isHealthy && !isProvisional;
  return foreignVerdict({
    value: passed ? 1 : isProvisional ? (numberIn(signal.value) ?? 0.5) : 0,
    passed,
    confidence: numberIn(signal.confidence) ?? 0.9,
    failureMode: passed ? null : (textIn(evaluation.failure_mode) ?? "failed"),
    verifier: { id: "gemma-forge-cve", version: VERSION },
    evidence: evaluation,
    flags: flagsOf(attempt, passed),
  });
}

/** What became of an item that could only be judged later. */
export function deferredVerdict(data: JsonObject) {
  const passed = data.passed === true;
  return foreignVerdict({
    value: passed ? 1 : 0,
    confidence: 0.9,
    failureMode: passed ? null : (textIn(data.outcome_reason) ?? "failed"),
    verifier: { id: "gemma-forge-cve-deferred", version: VERSION },
    evidence: data,
  });
}

function flagsOf({ isApplied, isClipped, isSuspect }: Evaluated["attempt"], passed: boolean): Flag[] {
  return [
    ...(passed && !isApplied ? ["noop-pass" as const] : []),
    ...(isClipped ? ["clipped" as const] : []),
    ...(isSuspect ? ["environment-suspect" as const] : []),
  ];
}
