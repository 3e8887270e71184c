/**
 * What is revoked, as conditions of the lake's views. A view is asked over a million turns, so a condition is part of it
 * only where something of its kind is revoked; where nothing is, the mark is a constant. Pure text.
 */
import type { Revocation } from "../records/ledger-entries.ts";
import { revokedTargets } from "./ledger-tables.ts";

export interface RevokedMarks {
  /** What a log says of the deciding verdict, which is nothing where its verifier is revoked. */
  logged(column: string): string;
  /** Joins that to the attempts `a`. */
  silenced: string;
  /** Whether an attempt `a` counts no more, with `v` for the verdict that stands. */
  attempt: string;
  /** Whether a turn `t` counts no more. */
  turn: string;
  /** The same beside its attempt `a`. */
  example: string;
}

/** Builds the conditions for what is revoked now. */
export function revokedMarks(revocations: readonly Revocation[]): RevokedMarks {
  const kinds = new Set(revocations.map(({ kind }) => kind));
  const isVerifierRevoked = kinds.has("verifier");
  const named = (row: string) => [
    ...(kinds.has("run") ? [`${row}.run IN (${revokedTargets("run")})`] : []),
    ...(kinds.has("attempt") ? [`${row}.attempt IN (${revokedTargets("attempt")})`] : []),
  ];
  const prompt = kinds.has("tip") ? ["t.turn IN (SELECT turn FROM ledger.revoked_turns)"] : [];
  const ofAttempt = isVerifierRevoked ? ["t.attempt IN (SELECT attempt FROM files.attempts WHERE is_revoked)"] : [];
  return {
    logged: (column) => (isVerifierRevoked ? `CASE WHEN revoked.target IS NULL THEN ${column} END` : column),
    silenced: isVerifierRevoked
      ? `LEFT JOIN (${revokedTargets("verifier")}) revoked ON revoked.target = a.verifier_id || '@' || a.verifier_version`
      : "",
    attempt: anyOf([...named("a"), ...(isVerifierRevoked ? [NOTHING_STANDS] : [])]),
    turn: anyOf([...named("t"), ...prompt, ...ofAttempt]),
    example: anyOf([...named("t"), ...prompt, ...(isVerifierRevoked ? ["a.is_revoked"] : [])]),
  };
}

/** An attempt was judged, and every verifier that did is revoked. */
const NOTHING_STANDS = `(v.attempt IS NULL AND (revoked.target IS NOT NULL OR (a.verifier_id IS NULL AND a.attempt IN (
    SELECT attempt FROM ledger.said WHERE is_revoked AND signal_type <> 'judgment'))))`;

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : conditions.map((one) => `coalesce(${one}, false)`).join(" OR ");
}
