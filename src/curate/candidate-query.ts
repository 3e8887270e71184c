/**
 * The queries that curation asks the lake: examples of one role with what decided them and what they did.
 * Knows the lake's columns, and nothing of why an example is refused.
 */
import type { Role } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import { compileFilter } from "./compile.ts";
import type { FilterTree } from "./expression.ts";

export interface Scope {
  role: Role;
  skills: readonly string[];
  runs: readonly RunId[];
  filter: FilterTree;
}

export interface Query {
  sql: string;
  values: (string | number | boolean)[];
}

/** The action belongs to the last turn of the role in its attempt; earlier turns led to none by themselves. */
const EXAMPLES_WITH_ACTIONS = `
  SELECT e.*, a.verdict_value, CASE WHEN e.turn_number = last.turn_number THEN a.tool_call END AS tool_call
  FROM examples e
  LEFT JOIN attempts a ON a.run = e.run AND a.attempt = e.attempt
  LEFT JOIN (SELECT run, attempt, role, max(turn_number) AS turn_number FROM turns GROUP BY ALL) last
    ON last.run = e.run AND last.attempt = e.attempt AND last.role = e.role`;

/** Examples that the user's filter lets through, in no particular order. */
export function candidatesQuery(scope: Scope): Query {
  const { sql, values } = scopeQuery(scope);
  const condition = compileFilter(scope.filter, "e", values.length + 1);
  return {
    sql: `${EXAMPLES_WITH_ACTIONS} WHERE ${sql} AND ${condition.sql}`,
    values: [...values, ...condition.values],
  };
}

/** The same in an order that only the seed and the turns' names decide: a first part of it is a fair sample. */
export function orderedCandidatesQuery(scope: Scope, seed: number): Query {
  const { sql, values } = candidatesQuery(scope);
  return { sql: `${sql} ORDER BY sha256($${values.length + 1} || e.turn)`, values: [...values, `${seed}:`] };
}

/** How many examples there are before the filter, and how many it lets through. */
export function countQuery(scope: Scope): Query {
  const { sql, values } = scopeQuery(scope);
  const condition = compileFilter(scope.filter, "e", values.length + 1);
  return {
    sql: `SELECT count(*) AS examples, count(*) FILTER (WHERE ${condition.sql}) AS passing FROM examples e WHERE ${sql}`,
    values: [...values, ...condition.values],
  };
}

/** The first turns by name that the filter does not let through. */
export function filteredOutQuery(scope: Scope, limit: number): Query {
  const { sql, values } = scopeQuery(scope);
  const condition = compileFilter(scope.filter, "e", values.length + 1);
  return {
    sql: `SELECT e.turn FROM examples e WHERE ${sql} AND (${condition.sql}) IS NOT TRUE ORDER BY e.turn LIMIT ${limit}`,
    values: [...values, ...condition.values],
  };
}

function scopeQuery({ role, skills, runs }: Scope): Query {
  const values: Query["values"] = [role];
  const list = (names: readonly string[]) => names.map((name) => `$${values.push(name)}`).join(", ");
  return { sql: `e.role = $1 AND e.skill IN (${list(skills)}) AND e.run IN (${list(runs)})`, values };
}
