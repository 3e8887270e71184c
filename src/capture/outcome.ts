/**
 * An outcome that an agent, its harness or a person reports of an attempt, as a verdict.
 */
import { z } from "zod";
import { hasCanonicalForm } from "../foundation/canonical-json.ts";
import { Refusal } from "../foundation/errors.ts";
import { signalOf, type Verdict, verdictSchema, verifierSchema } from "../records/verdict.ts";
import type { CallPlace } from "./call-place.ts";

const name = z.string().min(1).max(500);

const outcomeSchema = z.strictObject({
  run: name.optional(),
  item: name.optional(),
  attempt: z.int().min(1).optional(),
  value: z.number().min(0).max(1),
  /** Left out: whether `value` is 1. */
  passed: z.boolean().optional(),
  confidence: z.number().min(0).max(1).default(1),
  failureMode: z.string().min(1).nullable().default(null),
  /** Left out: a check's. */
  signalType: verdictSchema.shape.signalType.optional(),
  verifier: verifierSchema,
  evidence: z.json().default(null),
});

export interface ReportedOutcome {
  place: CallPlace;
  verdict: Verdict;
}

const NOWHERE: CallPlace = { run: null, item: null, family: null, attempt: null, role: "worker" };

/** Reads a reported outcome; what the path says of its place goes before the body. Throws: `BAD_OUTCOME`. */
export function readOutcome(body: unknown, inPath: CallPlace = NOWHERE): ReportedOutcome {
  if (!hasCanonicalForm(body)) throw badOutcome("half of a surrogate pair, or what is nested too deeply");
  const read = outcomeSchema.safeParse(body);
  if (!read.success) throw badOutcome(z.prettifyError(read.error));
  const { run = null, item = null, attempt = null, value, passed = value === 1, ...rest } = read.data;
  const place = {
    ...inPath,
    ...{ run: inPath.run ?? run, item: inPath.item ?? item, attempt: inPath.attempt ?? attempt },
  };
  if (place.item === null) throw badOutcome("no item: it says of which attempt this is");
  const failureMode = passed ? null : (rest.failureMode ?? "failed");
  const { signalType = signalOf(value) } = rest;
  return { place, verdict: { ...rest, value, passed, failureMode, signalType, before: null, flags: [] } };
}

function badOutcome(got: string): Refusal {
  return new Refusal({
    code: "BAD_OUTCOME",
    message: "The outcome cannot be used.",
    expected:
      "run, item, attempt, value from 0 to 1 and verifier {id, version}; confidence, evidence and failureMode if known",
    got,
  });
}
