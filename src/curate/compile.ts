/**
 * Turns a checked filter tree into a SQL condition. Only column names and operators from closed tables reach the
 * text; every value becomes a parameter.
 */
import { assert } from "../foundation/errors.ts";
import type { FilterTree } from "./expression.ts";
import { FIELDS, type FieldValue } from "./fields.ts";

export interface Condition {
  sql: string;
  /** By name: `$filter0` is `filter0`. */
  parameters: Record<string, FieldValue>;
}

/** Compiles a tree to a condition on `<table>`'s columns. */
export function compileFilter(tree: FilterTree, table: string): Condition {
  const parameters: Record<string, FieldValue> = {};
  function compile(node: FilterTree): string {
    if (node.kind === "and") return `(${node.all.map(compile).join(" AND ")})`;
    const field = FIELDS.get(node.field);
    assert(field !== undefined, `filter field ${node.field} was not checked`);
    const name = `filter${Object.keys(parameters).length}`;
    parameters[name] = node.value;
    return `${table}.${field.column} ${node.operator} $${name}`;
  }
  return { sql: compile(tree), parameters };
}
