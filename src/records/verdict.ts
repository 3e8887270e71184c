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
