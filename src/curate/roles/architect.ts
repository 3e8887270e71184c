/**
 * What an architect's answer was worth: did the item that it chose get solved, did attempts under its plan pass, was an
 * item that it gave up ever solved? One outcome is one draw, so confidence follows Laplace's rule of succession: 2/3
 * after one, more where others agree, and no label where they do not. Outcomes are compared between runs of one worker;
 * what would have happened otherwise is not known. Imported runs have no record of choices and so no label.
 */
import type { RunId } from "../../records/ids.ts";
import { attemptOutcomes, ofRuns, succession } from "../label-query.ts";
import type { RoleRule } from "../role-rule.ts";

/** Failed attempts of other runs before an item that was given up counts as one that cannot be solved. */
const FEWEST_MISSED = 5;

/** The square of the normal quantile at 97.5 %, for the upper 95 % limit of a rate of which nothing was seen. */
const Z_SQUARED = 3.8415;

const rule: RoleRule = {
  summary:
    "an architect's answer is good where what it chose got solved: the item selected, an attempt under the plan; giving up " +
    "is good where nobody solved the item",
  labels: async (_lake, runs) => `
    WITH outcomes AS (${attemptOutcomes(runs)}),
    workers AS (SELECT run, to_json([worker_model, worker_base_hash, worker_adapter_hash])::VARCHAR AS worker
      FROM files.runs r WHERE ${ofRuns("r", runs)}),
    choices AS (${answeredChoices(runs)}),
    judged AS (
      SELECT run, turn, false AS passed, 1.0 AS confidence, 'unusable-answer' AS rule FROM choices WHERE is_fallback
      UNION ALL BY NAME ${SELECTED} UNION ALL BY NAME ${WENT_ON} UNION ALL BY NAME ${GIVEN_UP})
    SELECT run, turn, passed, passed::INTEGER::DOUBLE AS "value", confidence::DOUBLE AS confidence, rule
    FROM judged WHERE passed IS NOT NULL AND confidence > 0.5`,
};

/** Each choice with the attempt that it came before, and the next plan's. */
function answeredChoices(runs: readonly RunId[]): string {
  return `SELECT c.run, c.item, c.turn, c.choice, c.is_fallback, t.attempt_number,
      min(CASE WHEN c.choice = 're-plan' THEN t.attempt_number END) OVER (PARTITION BY c.run, c.item ORDER BY c.seq
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_plan
    FROM files.architect_choices c JOIN files.turns t ON t.run = c.run AND t.turn = c.turn
    WHERE ${ofRuns("c", runs)} AND t.response IS NOT NULL`;
}

/** An item that the run's own budget left open was not given the tries that would tell. */
const SELECTED = `(
  WITH ended AS (
    SELECT o.run, o.item, CASE
        WHEN bool_or(o.outcome = 'suspect') THEN NULL
        WHEN bool_or(o.outcome = 'solved') THEN true
        WHEN bool_and(o.outcome = 'missed') AND i.state = 'unsolved' AND i.end_reason IS DISTINCT FROM 'run-budget' THEN false
        END AS is_solved
    FROM outcomes o JOIN files.items i ON i.run = o.run AND i.item = o.item GROUP BY o.run, o.item, i.state, i.end_reason),
  repeated AS (
    SELECT e.item, w.worker, e.is_solved, count(*) AS agreeing, sum(count(*)) OVER (PARTITION BY e.item, w.worker) AS runs
    FROM ended e JOIN workers w ON w.run = e.run WHERE e.is_solved IS NOT NULL
    GROUP BY e.item, w.worker, e.is_solved)
  SELECT c.run, c.turn, e.is_solved AS passed, ${succession("r.agreeing", "r.runs")} AS confidence, 'selected-solved' AS rule
  FROM choices c JOIN ended e ON e.run = c.run AND e.item = c.item JOIN workers w ON w.run = c.run
  JOIN repeated r ON r.item = c.item AND r.worker = w.worker AND r.is_solved = e.is_solved
  WHERE c.choice = 'select' AND NOT c.is_fallback)`;

/** A plan answers for the attempts until the next one, and for none where the environment may have decided. */
const WENT_ON = `(
  WITH made AS (
    SELECT c.run, c.turn, c.choice, count(*) AS attempts, count(*) FILTER (o.outcome = 'solved') AS solved,
      count(*) FILTER (o.outcome = 'missed') AS missed, bool_or(o.outcome = 'suspect') AS is_suspect
    FROM choices c JOIN outcomes o ON o.run = c.run AND o.item = c.item
      AND o.attempt_number >= c.attempt_number AND (c.next_plan IS NULL OR o.attempt_number < c.next_plan)
    WHERE c.choice IN ('re-plan', 'continue') AND NOT c.is_fallback GROUP BY ALL)
  SELECT run, turn,
    CASE WHEN is_suspect THEN NULL WHEN solved > 0 THEN true WHEN missed = attempts THEN false END AS passed,
    CASE WHEN solved > 0 THEN ${succession("solved", "solved")} ELSE ${succession("missed", "missed")} END AS confidence,
    CASE choice WHEN 're-plan' THEN 'replan-passed' ELSE 'continue-passed' END AS rule
  FROM made)`;

/**
 * To skip says of the item that nobody should try, so every worker's attempts count; to escalate says that this worker
 * cannot. Where nothing was solved in n tries, the label is as sure as the upper limit of the pass rate is low: Wilson's
 * z^2 / (n + z^2).
 */
const GIVEN_UP = `(
  WITH tried AS (
    SELECT c.run, c.turn, c.choice, count(*) FILTER (o.outcome = 'solved') AS solved,
      count(*) FILTER (o.outcome = 'missed' AND o.run <> c.run) AS missed
    FROM choices c JOIN workers own ON own.run = c.run JOIN outcomes o ON o.item = c.item JOIN workers w ON w.run = o.run
    WHERE NOT c.is_fallback AND (c.choice = 'skip' OR (c.choice = 'escalate' AND w.worker = own.worker)) GROUP BY ALL)
  SELECT run, turn, CASE WHEN solved > 0 THEN false WHEN missed >= ${FEWEST_MISSED} THEN true END AS passed,
    CASE WHEN solved > 0 THEN ${succession("solved", "solved")} ELSE missed / (missed + ${Z_SQUARED}) END AS confidence,
    choice || '-unsolved' AS rule
  FROM tried)`;

export default rule;
