/**
 * The queries that curation asks the lake: examples of one role with what decided them and what they did.
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

export interface Query {
  sql: string;
  parameters: Record<string, string | number | boolean>;
}

/**
 * The action belongs to the last turn of its attempt's worker; earlier turns led to none by themselves. How many
 * messages the turn sent and whether it sent tools is asked of the turn, as a lost text leaves no trace in the example.
 */
const EXAMPLES_WITH_ACTIONS = `
  SELECT e.*, a.verdict_value, CASE WHEN e.turn = a.last_turn THEN a.tool_call END AS tool_call,
    len(t.messages) AS message_count, t.tools IS NOT NULL AS has_tools
  FROM examples e
  JOIN turns t ON t.run = e.run AND t.turn = e.turn
  LEFT JOIN attempts a ON a.run = e.run AND a.attempt = e.attempt`;

/** Examples that the user's filter lets through, in no particular order. */
export function candidatesQuery(scope: Scope): Query {
  const { where, filter, parameters } = conditions(scope);
  return { sql: `${EXAMPLES_WITH_ACTIONS} WHERE ${where} AND ${filter}`, parameters };
}

/** The same in an order that only the seed and the turns' names decide: a first part of it is a fair sample. */
export function orderedCandidatesQuery(scope: Scope, seed: number): Query {
  const { sql, parameters } = candidatesQuery(scope);
  return { sql: `${sql} ORDER BY sha256($seed || e.turn)`, parameters: { ...parameters, seed: `${seed}:` } };
}

/** How many `examples` there are before the filter, and how many are `passing` it. */
export function countQuery(scope: Scope): Query {
  const { where, filter, parameters } = conditions(scope);
  return {
    sql: `SELECT count(*) AS examples, count(*) FILTER (WHERE ${filter}) AS passing FROM examples e WHERE ${where}`,
    parameters,
  };
}

/** The first turns by name that the filter does not let through. */
export function filteredOutQuery(scope: Scope, limit: number): Query {
  const { where, filter, parameters } = conditions(scope);
  return {
    sql: `SELECT e.turn FROM examples e WHERE ${where} AND (${filter}) IS NOT TRUE ORDER BY e.turn LIMIT ${limit}`,
    parameters,
  };
}

function conditions({ role, skills, runs, filter }: Scope) {
  const { sql, parameters } = compileFilter(filter, "e");
  const list = (prefix: string, names: readonly string[]) =>
    names.map((name, i) => {
      parameters[`${prefix}${i}`] = name;
      return `$${prefix}${i}`;
    });
  parameters.role = role;
  const where = `e.role = $role AND e.skill IN (${list("skill", skills)}) AND e.run IN (${list("run", runs)})`;
  return { where, filter: sql, parameters };
}
