/**
 * The queries that curation asks the lake: examples of one role with what decided them and what they did. Texts stay
 * where they are, and examples come in ranges of items: DuckDB would hold all of them in memory while it joins and sorts.
 * Knows the lake's columns, and nothing of why an example is refused.
 */
import type { Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import { compileFilter } from "./compile.ts";
import type { FilterTree } from "./expression.ts";

/** Shapes: `skills` and `runs` have at least one entry each. */
export interface Scope {
  role: Role;
  skills: readonly string[];
  runs: readonly RunId[];
  filter: FilterTree;
}

/** Items after `after` up to and including `until`. */
export interface ItemRange {
  after: string;
  until: string;
}

export interface Query {
  sql: string;
  parameters: Record<string, string | number | boolean>;
}

const RANGE = "item > $after AND item <= $until";

/**
 * The lake's `examples` without their texts, which the turn names by hash, and with what the attempt did. The action
 * belongs to the last turn of the attempt's worker; earlier turns led to none by themselves. Asks the lake's files, as
 * DuckDB would put together the texts of its views even where no column needs them; and each for the range, as DuckDB
 * would else hold all attempts and items to join a few turns with them.
 */
const EXAMPLES = `(
  SELECT t.run, t.skill, t.item, t.family, t.split, i.kind, t.attempt, t.attempt_number, t.turn, t.turn_number,
    t."role", t.messages AS prompt_hashes, t.tools AS tools_hash, t.response AS response_hash, t.tip_spans,
    NOT (t.has_system_prompt AND t.has_tools AND t.has_full_prompt AND t.has_full_answer) AS is_clipped,
    t.run IN (SELECT run FROM files.runs WHERE skill_hash IS NULL) AS is_foreign,
    t.finish_reason, t.prompt_tokens, t.completion_tokens, t.model, t.base_hash, t.adapter_hash, a.eval_passed,
    a.confidence, a.failure_mode, a.signal_type, a.verifier_id, a.verifier_version, a.flags, a.before_passed,
    a.audit_passed, a.audit_confidence, a.verdict_value, t.retrievals,
    coalesce(a.is_revoked, false) OR t.turn IN (SELECT turn FROM ledger.revoked_turns) AS is_revoked, CASE WHEN t.turn = a.last_turn THEN a.tool_call END AS tool_call
  FROM (FROM files.turns WHERE response IS NOT NULL AND ${RANGE}) t
  LEFT JOIN (FROM files.attempts WHERE ${RANGE}) a ON a.run = t.run AND a.attempt = t.attempt
  LEFT JOIN (FROM files.items WHERE ${RANGE}) i ON i.run = t.run AND i.item = t.item
) e`;

/** Every `item` in scope, in order, with how many `examples` it has before any is refused. */
export function itemsQuery(scope: Scope): Query {
  const { sql, parameters } = within(scope);
  return {
    sql: `SELECT item, count(*) AS examples FROM files.turns e
      WHERE ${sql} AND response IS NOT NULL GROUP BY item ORDER BY item`,
    parameters,
  };
}

/** How many examples of a range are `filtered` out by the user's filter, and the `first` of their turns by name. */
export function filteredOutQuery(scope: Scope, range: ItemRange, names: number): Query {
  const { sql, parameters } = within(scope);
  const filter = compileFilter(scope.filter, "e");
  return {
    sql: `SELECT count(*) AS filtered, min(e.turn, ${names}) AS first FROM ${EXAMPLES}
      WHERE ${sql} AND (${filter.sql}) IS NOT TRUE`,
    parameters: { ...parameters, ...filter.parameters, ...range },
  };
}

/** Examples of a range of items that the user's filter lets through, item by item over all runs, earliest first. */
export function candidatesQuery(scope: Scope, range: ItemRange): Query {
  const { sql, parameters } = within(scope);
  const filter = compileFilter(scope.filter, "e");
  return {
    sql: `SELECT * FROM ${EXAMPLES} WHERE ${sql} AND ${filter.sql}
      ORDER BY e.item, e.run, e.attempt_number, e.turn_number`,
    parameters: { ...parameters, ...filter.parameters, ...range },
  };
}

function within({ role, skills, runs }: Scope): Query {
  const parameters: Query["parameters"] = { role };
  const list = (prefix: string, names: readonly string[]) =>
    names.map((name, i) => {
      parameters[`${prefix}${i}`] = name;
      return `$${prefix}${i}`;
    });
  return {
    sql: `e."role" = $role AND e.skill IN (${list("skill", skills)}) AND e.run IN (${list("run", runs)})`,
    parameters,
  };
}
