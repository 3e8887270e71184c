/**
 * What an auditor's answer was worth: it says of accepted work whether it passed for the right reason, and later checks or
 * the verdict's own flags say whether it did. Where nothing but the verdict is known, agreeing with it is a weak label:
 * the auditor is asked for what the verifier cannot see. An opinion is found by the turn that its evidence names, so
 * people's and imported opinions label nothing.
 */
import { isByRevoked } from "../../store/ledger-tables.ts";
import { ofRuns, unusableAnswers } from "../label-query.ts";
import type { RoleRule } from "../role-rule.ts";

/** No later check is surer of the reason for a pass than this: it looks at the result, too. */
const MOST_SURE = 0.9;

/** How sure it is that a pass had the wrong reason where its verdict is flagged so, and what a verdict alone says of reasons. */
const FLAGGED = 0.75;
const CONTRADICTED = 0.6;
const VERDICT_ALONE = 0.6;

const rule: RoleRule = {
  summary:
    "an auditor's answer is good where it agrees with what is known of the pass: a no-op, an evaluator's gap or a later check " +
    "that failed is a wrong reason, a later check that passed a right one; without any, the verdict is taken for right",
  labels: async (_lake, runs) => `
    WITH opinions AS (
      SELECT v.run, v.attempt, (v.evidence->>'$.turn') AS turn, v.passed AS is_right FROM files.verdicts v
      WHERE ${ofRuns("v", runs)} AND v.signal_type = 'judgment' AND (v.evidence->>'$.turn') IS NOT NULL
      QUALIFY row_number() OVER (PARTITION BY v.run, (v.evidence->>'$.turn') ORDER BY v.seq DESC) = 1),
    known AS (
      SELECT a.run, a.attempt, l.attempt IS NOT NULL AS is_rechecked, coalesce(l.passed, a.eval_passed) AS passed, a.confidence,
        list_distinct(list_concat(a.flags, coalesce(s.flags, []))) AS flags,
        coalesce(a.before_passed, false) OR coalesce(s.before_passed, false) AS is_noop,
        list_contains(a.flags, 'conflict') AS is_contradicted
      FROM files.attempts a
      LEFT JOIN (FROM sealed.attempts s WHERE NOT ${isByRevoked("s")}) s ON s.run = a.run AND s.attempt = a.attempt
      LEFT JOIN (FROM ledger.deciding WHERE is_late AND signal_type <> 'behavioral') l ON l.attempt = a.attempt
      WHERE ${ofRuns("a", runs)} AND a.verifier_id IS NOT NULL AND NOT list_contains(a.flags, 'environment-suspect')),
    truths AS (
      SELECT run, attempt, unnest(${TRUTH}) FROM known)
    SELECT t.run, t.turn, o.is_right = k.is_right AS passed, (o.is_right = k.is_right)::INTEGER::DOUBLE AS "value",
      k.confidence::DOUBLE AS confidence, k.rule
    FROM opinions o JOIN truths k ON k.run = o.run AND k.attempt = o.attempt
    JOIN files.turns t ON t.run = o.run AND t.turn = o.turn
    WHERE t."role" = 'auditor' AND t.response IS NOT NULL AND k.is_right IS NOT NULL
    UNION ALL ${unusableAnswers("auditor", runs)}`,
};

/** Whether the pass had the right reason, first that applies. A later check that passes where the log's failed says nothing. */
const TRUTH = truth([
  ["is_noop OR list_contains(flags, 'noop-pass')", "false", String(MOST_SURE), "noop-pass"],
  ["is_rechecked AND NOT passed", "false", `least(confidence, ${MOST_SURE})`, "recheck-failed"],
  ["list_contains(flags, 'evaluator-gap')", "false", String(FLAGGED), "evaluator-gap"],
  ["is_rechecked AND is_contradicted", "NULL", "0", "recheck-passed"],
  ["is_rechecked", "true", `least(confidence, ${MOST_SURE})`, "recheck-passed"],
  ["is_contradicted", "false", String(CONTRADICTED), "conflict"],
  ["true", "passed", String(VERDICT_ALONE), "verdict-alone"],
]);

function truth(cases: readonly (readonly [when: string, isRight: string, confidence: string, rule: string])[]): string {
  const whens = cases.map(
    ([when, isRight, confidence, rule]) =>
      `WHEN ${when} THEN {is_right: (${isRight})::BOOLEAN, confidence: (${confidence})::DOUBLE, rule: '${rule}'}`,
  );
  return `(CASE ${whens.join(" ")} END)`;
}

export default rule;
