/**
 * What the rules of `roles/` share: how an attempt ended as far as it says anything of a role that did not make it, and
 * the labels that need no more than the turn itself. Pure SQL text; run ids are literals, as a rule's query has no parameters.
 */
import type { Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import { sqlText } from "../store/duckdb.ts";

/** The columns of a rule's query, where it finds nothing. */
export const NO_LABELS = `SELECT NULL::VARCHAR AS run, NULL::VARCHAR AS turn, NULL::BOOLEAN AS passed, NULL::DOUBLE AS "value",
  NULL::DOUBLE AS confidence, NULL::VARCHAR AS rule WHERE false`;

/** The condition that a table's row is of one of the runs. */
export function ofRuns(table: string, runs: readonly RunId[]): string {
  return runs.length === 0 ? "false" : `${table}.run IN (${runs.map(sqlText).join(", ")})`;
}

/**
 * How an attempt of the lake ended: `solved`, `missed`, `suspect` where the environment may have decided, or `unclear` where
 * verdicts contradict each other, there is none, or the pass was none of the attempt's doing.
 */
export const OUTCOME = `CASE
      WHEN list_contains(flags, 'environment-suspect') THEN 'suspect'
      WHEN NOT eval_passed THEN 'missed'
      WHEN eval_passed AND NOT coalesce(before_passed, false)
        AND NOT list_has_any(flags, ['noop-pass', 'evaluator-gap']) THEN 'solved'
      ELSE 'unclear' END`;

/** Selects each judged attempt of the runs with its `outcome`. */
export function attemptOutcomes(runs: readonly RunId[]): string {
  return `SELECT a.run, a.item, a.attempt, a.attempt_number, ${OUTCOME} AS outcome
    FROM files.attempts a WHERE ${ofRuns("a", runs)} AND a.verifier_id IS NOT NULL AND NOT a.is_revoked`;
}

/** Labels of answers that did not fit the form that they were asked for: bad for certain, whatever happened next. */
export function unusableAnswers(role: Role, runs: readonly RunId[]): string {
  return `SELECT t.run, t.turn, false AS passed, 0.0::DOUBLE AS "value", 1.0::DOUBLE AS confidence, 'unusable-answer' AS rule
    FROM files.turns t
    WHERE ${ofRuns("t", runs)} AND t."role" = '${role}' AND t.response IS NOT NULL
      AND list_contains(t.parse_flags, 'not-understood')`;
}

/** How often an answer is right after `agreeing` of `all` outcomes said so, as SQL. Source: Laplace's rule of succession. */
export function succession(agreeing: string, all: string): string {
  return `(${agreeing} + 1) / (${all} + 2)::DOUBLE`;
}
