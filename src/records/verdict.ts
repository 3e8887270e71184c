/**
 * What a verifier says of an attempt. A label is more than a bit: it carries how sure the verifier is, which
 * version said it, what the same check said before the action, and the verifier's whole raw output.
 */
import { z } from "zod";

export const VERDICT_FLAGS = [
  "noop-pass",
  "environment-suspect",
  "evaluator-gap",
  "clipped",
  "imported",
  "conflict",
  "dirty-exit",
] as const;

export const verifierSchema = z.object({ id: z.string().min(1), version: z.string().min(1) });

export const verdictSchema = z.object({
  value: z.number().min(0).max(1),
  confidence: z.number().min(0).max(1),
  passed: z.boolean(),
  /** Why it did not pass, in the skill's own closed list; null where it passed. */
  failureMode: z.string().nullable(),
  signalType: z.enum(["binary", "graded", "judgment", "behavioral"]),
  verifier: verifierSchema,
  /** The same check before the action; null where the skill has nothing to check then. */
  before: z.object({ value: z.number().min(0).max(1), passed: z.boolean() }).nullable(),
  evidence: z.json(),
  flags: z.array(z.enum(VERDICT_FLAGS)),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type Verifier = z.infer<typeof verifierSchema>;

/** Whether a verdict rests on a check: what a model (`judgment`) or a person (`behavioral`) says is an opinion. */
export function isDeterministic({ signalType }: { signalType: string }): boolean {
  return signalType === "binary" || signalType === "graded";
}

/** The signal of a check of which only the value is known. */
export function signalOf(value: number): "binary" | "graded" {
  return value === 0 || value === 1 ? "binary" : "graded";
}

/**
 * Whether a verdict decides in place of the one before it: a judgment never does, and a person's word only where no check
 * decided; else the later one does.
 */
export function isDeciding(verdict: Verdict, before: Verdict | null): boolean {
  if (isDeterministic(verdict)) return true;
  return verdict.signalType === "behavioral" && (before === null || !isDeterministic(before));
}
