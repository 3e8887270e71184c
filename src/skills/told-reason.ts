/**
 * What a skill tells the worker of a failed attempt, where its evidence holds a `reason`.
 */
import { z } from "zod";
import type { Verdict } from "../records/verdict.ts";

/** More is no longer an explanation. */
const MOST_CHARACTERS = 400;

const evidenceSchema = z.looseObject({ reason: z.string() });

/**
 * Returns the reason in a verdict's evidence, an empty text where it holds none or its failure mode is among `secret`:
 * those whose reason would give the solution away.
 */
export function toldReason({ evidence, failureMode }: Verdict, secret: readonly string[] = []): string {
  const read = evidenceSchema.safeParse(evidence);
  if (!read.success || failureMode === null || secret.includes(failureMode)) return "";
  return read.data.reason.slice(0, MOST_CHARACTERS);
}
