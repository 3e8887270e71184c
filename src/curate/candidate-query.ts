/**
 * The queries that curation asks the lake: examples of one role with what decided them and what they did. Texts stay
 * where they are, and examples come in ranges of items: DuckDB would hold all of them in memory while it joins and sorts.
 * Knows the lake's columns, and nothing of why an example is refused.
 */
import type { Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Unit } from "../records/selection.ts";
import { revokedTargets } from "../store/ledger-tables.ts";
import { compileFilters } from "./compile.ts";
import { clausesOf, type FilterTree, withoutOutcome } from "./filter-tree.ts";
import { OUTCOME } from "./label-query.ts";
import { RULE_VERSION } from "./role-rule.ts";

/** Shapes: `skills` and `runs` have at least one entry each. */
export interface Scope {
  role: Role;
  skills: readonly string[];
  runs: readonly RunId[];
  filter: FilterTree;
  /** Of a whole attempt all turns have to pass the filter, as all of them are in its row. */
  unit: Unit;
  /** The query of a role's rule (`role-rule.ts`); null for a worker, whose answers the verifier judged. */
  labels: string | null;
  /** Whether answers that are labelled bad are read too: of the filter only what asks nothing of the outcome holds for them. */
  withBad: boolean;
}

/** Items after `after` up to and including `until`. */
export interface ItemRange {
  after: string;
  until: string;
}

/** No name of an item begins with the last code point. */
export const ALL_ITEMS: ItemRange = { after: "", until: "\u{10ffff}" };

export interface Query {
  sql: string;
  parameters: Record<string, string | number | boolean>;
}

const RANGE = "item > $after AND item <= $until";

/**
 * The turns of a role with what is said of their answers: the verdict, or what the role's rule makes of what came next. A
 * turn that chose an item is about that one, whose attempts it came before.
 */
function turnsOf(scope: Scope): string {
  if (scope.labels === null) return "(FROM files.turns WHERE response IS NOT NULL)";
  return `(SELECT t.* REPLACE (coalesce(c.item, t.item) AS item, coalesce(i.family, t.family) AS family, coalesce(i.split, t.split) AS split,
      CASE WHEN c.item <> t.item THEN 1 ELSE t.attempt_number END AS attempt_number),
      l.passed AS label, l."value" AS label_value, l.confidence AS label_confidence, l.rule AS label_rule
    FROM files.turns t LEFT JOIN (${scope.labels}) l ON l.run = t.run AND l.turn = t.turn
    LEFT JOIN files.architect_choices c ON c.run = t.run AND c.turn = t.turn
    LEFT JOIN files.items i ON i.run = t.run AND i.item = c.item
    WHERE t.response IS NOT NULL)`;
}

/** A reflector's answer is the one whose tips were saved from its attempt. */
const WRITTEN_TIPS =
  "(SELECT list(DISTINCT s.tip ORDER BY s.tip) FROM files.tips s WHERE s.run = t.run AND s.source_attempt = t.attempt)";

const LABEL = {
  judged: "t.label, t.label_value, t.label_confidence, t.label_rule",
  verdict: `a.eval_passed AS label, a.verdict_value AS label_value, a.confidence AS label_confidence,
    CASE WHEN a.verifier_id IS NOT NULL THEN 'verdict' END AS label_rule`,
};

/** Whether nothing is true of an example any more, as what was said of its attempt is revoked. */
const NO_VERDICT_STANDS = "e.is_revoked AND e.eval_passed IS NULL";

/** Whether the rule that labelled a turn is revoked; a verdict's verifier is known to the attempt. */
const IS_RULE_REVOKED = `coalesce(t.label_rule || '@${RULE_VERSION}' IN (${revokedTargets("verifier")}), false)`;

/** Of an agent that is not tracemill's: run at a skill's items the run has the skill's hash, else none. */
const FOREIGN_RUNS = "SELECT run FROM files.runs WHERE skill_hash IS NULL OR (config->>'$.command') = 'agent'";

/**
 * The lake's `examples` without their texts, which the turn names by hash, and with what the attempt did. The action
 * belongs to the turn that it came of: another agent may go on speaking after its last one. Asks the lake's files, as
 * DuckDB would put together the texts of its views even where no column needs them; and each for the range, as DuckDB
 * would else hold all attempts and items to join a few turns with them.
 */
function examplesOf(scope: Scope): string {
  return `(
  SELECT t.run, t.skill, t.item, t.family, t.split, i.kind, i.detail AS reference, t.attempt, t.attempt_number, t.turn, t.turn_number,
    t."role", t.phase, t.messages AS prompt_hashes, t.tools AS tools_hash, t.response AS response_hash, t.tip_spans, t.parse_flags,
    NOT (t.has_system_prompt AND t.has_tools AND t.has_full_prompt AND t.has_full_answer) AS is_clipped,
    t.wire_api IS NOT DISTINCT FROM 'completions' AS is_text_completion, t.wire_api IS NOT NULL AS is_recorded,
    t.run IN (${FOREIGN_RUNS}) AS is_foreign,
    t.finish_reason, t.prompt_tokens, t.completion_tokens, t.latency_ms, t.model, t.base_hash, t.adapter_hash, a.turns,
    a.exit_code, a.eval_passed, a.confidence, a.failure_mode, a.signal_type, a.verifier_id, a.verifier_version, a.flags, a.before_passed,
    a.audit_passed, a.audit_confidence, a.verdict_value, t.retrievals,
    coalesce(a.is_revoked, false) OR t.turn IN (SELECT turn FROM ledger.revoked_turns)
      OR ${scope.labels === null ? "false" : IS_RULE_REVOKED} AS is_revoked,
    CASE WHEN t.turn = a.action_turn THEN a.tool_call END AS tool_call, t.turn IS NOT DISTINCT FROM a.last_turn AS is_last, t.command_failed,
    nullif(a.completion_tokens, 0) AS attempt_tokens, ${scope.role === "reflector" ? WRITTEN_TIPS : "NULL::VARCHAR[]"} AS written_tips,
    ${scope.labels === null ? LABEL.verdict : LABEL.judged}
  FROM (FROM ${turnsOf(scope)} WHERE ${RANGE}) t
  LEFT JOIN (FROM files.attempts WHERE ${RANGE}) a ON a.run = t.run AND a.attempt = t.attempt
  LEFT JOIN (FROM files.items WHERE ${RANGE}) i ON i.run = t.run AND i.item = t.item
) e`;
}

/**
 * Every `item` in scope, in order, with how many `examples` it has before any is refused, and the length of its longest task.
 * Units: `task_bytes` of UTF-8.
 */
export function itemsQuery(scope: Scope): Query {
  const { sql, parameters } = within(scope);
  return {
    sql: `SELECT e.item, count(*) AS examples, coalesce(any_value(i.bytes), 0) AS task_bytes
      FROM (FROM ${turnsOf(scope)} e WHERE ${sql}) e
      LEFT JOIN (SELECT item, max(strlen(task)) AS bytes FROM files.items GROUP BY item) i ON i.item = e.item
      GROUP BY e.item ORDER BY e.item`,
    parameters,
  };
}

/** What each item of a range asks for, in words, as the first run that scanned it has it. */
export function tasksQuery({ skills, runs }: Scope, range: ItemRange): Query {
  const { sql, parameters } = withinRuns({ skills, runs });
  return {
    sql: `SELECT item, arg_min(task, run) AS task FROM files.items e WHERE ${sql} AND ${RANGE} GROUP BY item`,
    parameters: { ...parameters, ...range },
  };
}

/** How many attempts at each item of a range stand and say something of whoever made them, and how many of these `solved` it. */
export function solveRatesQuery({ skills, runs }: Scope, range: ItemRange): Query {
  const { sql, parameters } = withinRuns({ skills, runs });
  return {
    sql: `SELECT item, count(*) AS attempts, count(*) FILTER (outcome = 'solved') AS solved
      FROM (SELECT item, ${OUTCOME} AS outcome FROM files.attempts e WHERE ${sql} AND ${RANGE} AND NOT is_revoked)
      WHERE outcome IN ('solved', 'missed') GROUP BY item`,
    parameters: { ...parameters, ...range },
  };
}

/**
 * For each clause of the user's filter, by its number in the order written: how many examples of a range are `filtered`
 * out by it before any other, apart for those whose verdict `is_revoked`, and the `first` of their turns by name. A clause that refuses none
 * has no row.
 */
export function filteredOutQuery(scope: Scope, range: ItemRange, names: number): Query {
  const { sql, parameters } = filteredTurnsQuery(scope, range);
  return {
    sql: `SELECT clause, is_revoked, count(*) AS filtered, min(turn, ${names}) AS first FROM (${sql})
      GROUP BY clause, is_revoked ORDER BY clause, is_revoked`,
    parameters,
  };
}

/**
 * Each turn of a range that the user's filter leaves out, the number of the clause that does so before any other, and whether its
 * verdict is revoked.
 */
export function filteredTurnsQuery(scope: Scope, range: ItemRange): Query {
  const { sql, parameters } = within(scope);
  const clauses = compileFilters(clausesOf(scope.filter), "e");
  const refusing = clauses.sql.map((clause, i) => `WHEN NOT ${clause} THEN ${i}`).join(" ");
  const bad = badAnswers(scope);
  return {
    sql: `SELECT turn, clause, is_revoked
      FROM (SELECT e.turn, ${ofUnit(scope, "bool_or", NO_VERDICT_STANDS)} AS is_revoked,
        ${ofUnit(scope, "min", refusing === "" ? "NULL" : `CASE ${refusing} END`)} AS clause
        FROM ${examplesOf(scope)} WHERE ${sql} ${only(scope, `NOT ${ofUnit(scope, "bool_and", bad.sql)}`)})
      WHERE clause IS NOT NULL`,
    parameters: { ...parameters, ...clauses.parameters, ...bad.parameters, ...range },
  };
}

/**
 * These columns of the examples of a range of items that are to be looked at, and whether the filter `is_wanted`: item by
 * item over all runs, earliest first. What is not asked for is not read.
 */
export function candidatesQuery(scope: Scope, range: ItemRange, columns: readonly string[]): Query {
  const { sql, parameters } = within(scope);
  const filter = compileFilters([scope.filter], "e");
  const wanted = ofUnit(scope, "bool_and", filter.sql[0] ?? "true");
  const bad = badAnswers(scope);
  return {
    sql: `SELECT ${columns.map((name) => `e."${name}"`).join(", ")}, ${wanted} AS is_wanted FROM ${examplesOf(scope)}
      WHERE ${sql} ${only(scope, `(${wanted} OR ${ofUnit(scope, "bool_and", bad.sql)})`)}
      ORDER BY e.item, e.run, e.attempt_number, e.turn_number`,
    parameters: { ...parameters, ...filter.parameters, ...bad.parameters, ...range },
  };
}

/** What is said of a turn; of a whole attempt, `over` what is said of its turns. */
function ofUnit({ unit }: Scope, over: "bool_and" | "bool_or" | "min", sql: string): string {
  return unit === "turn" ? sql : `${over}(${sql}) OVER (PARTITION BY e.run, e.item, e.attempt)`;
}

/** Adds a condition of `ofUnit` to a query's own: what looks at other turns is asked after these. */
function only({ unit }: Scope, condition: string): string {
  return `${unit === "turn" ? "AND" : "QUALIFY"} ${condition}`;
}

/** The condition for a bad answer that is to be looked at. */
function badAnswers({ filter, withBad }: Scope): Query {
  if (!withBad) return { sql: "false", parameters: {} };
  const { sql, parameters } = compileFilters([withoutOutcome(filter)], "e", "bad");
  return { sql: `(e.label IS NOT DISTINCT FROM false AND ${sql[0]})`, parameters };
}

function within({ role, skills, runs }: Scope): Query {
  const { sql, parameters } = withinRuns({ skills, runs });
  return { sql: `e."role" = $role AND ${sql}`, parameters: { ...parameters, role } };
}

function withinRuns({ skills, runs }: Pick<Scope, "skills" | "runs">): Query {
  const parameters: Query["parameters"] = {};
  const list = (prefix: string, names: readonly string[]) =>
    names.map((name, i) => {
      parameters[`${prefix}${i}`] = name;
      return `$${prefix}${i}`;
    });
  return { sql: `e.skill IN (${list("skill", skills)}) AND e.run IN (${list("run", runs)})`, parameters };
}
