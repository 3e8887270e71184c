/**
 * Scores that another program's evaluators and people gave, as verdicts: only a truth value or a number from 0 to 1 can
 * be one. A score says what it measures by its name alone, so that of the few names of faults that everybody uses the
 * complement is taken; all others are taken as given, more being better.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { type ForeignVerdict, foreignVerdict } from "../foreign.ts";

export interface GivenScore {
  name: string;
  value: number | boolean | null;
  label: string | null;
  explanation: string | null;
  /** Code is trusted; a person's is a behavior; all else is an opinion. */
  judge: "code" | "model" | "person" | "unknown";
  /** Whatever else is known of it. */
  about: Record<string, Json>;
}

const FAULTS = new Set(["hallucination", "hallucinations", "toxicity", "bias", "harmfulness"]);
const PASSED = new Set(["pass", "passed", "true", "correct", "success"]);
const FAILED = new Set(["fail", "failed", "false", "incorrect", "failure"]);

/** Why a score is no verdict, or the verdict. */
export function scoreVerdict(score: GivenScore): { verdict: ForeignVerdict["verdict"] } | { reason: string } {
  const { name, label, explanation, judge, about } = score;
  const passed = labelled(label);
  const given = typeof score.value === "boolean" ? Number(score.value) : score.value;
  const value = given ?? (passed === null ? null : Number(passed));
  if (name === "") return { reason: "a score has no name" };
  if (value === null) return { reason: `a score has neither a number nor a label that says passed or failed` };
  if (!(value >= 0 && value <= 1)) return { reason: `a score lies outside of 0 to 1, where a verdict's value lies` };
  const isFault = FAULTS.has(name.toLowerCase());
  const evidence = {
    ...{ score: score.value, ...(label !== null && { label }), ...(explanation !== null && { explanation }) },
    ...(isFault && { isFault }),
    ...about,
  };
  const verdict = foreignVerdict({
    ...{ value: isFault ? complement(value) : value, verifier: { id: name, version: "unknown" }, evidence },
    ...(passed !== null && !isFault && { passed }),
    ...(judge === "person" && { signalType: "behavioral" as const }),
    isJudgment: judge === "model" || judge === "unknown",
  });
  return { verdict };
}

function complement(value: number): number {
  return Number((1 - value).toFixed(12));
}

function labelled(label: string | null): boolean | null {
  const word = label?.trim().toLowerCase() ?? "";
  return PASSED.has(word) ? true : FAILED.has(word) ? false : null;
}
