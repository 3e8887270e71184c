/**
 * Turns a checked filter tree into a SQL condition. Only column names and operators from closed tables reach the
 * text; every value becomes a parameter.
 */
import { assert } from "../foundation/errors.ts";
import type { FilterTree } from "./expression.ts";
import { FIELDS, type FieldValue } from "./fields.ts";

export interface Condition {
  sql: string;
  values: FieldValue[];
}

/** Compiles a tree to a condition on `<table>`'s columns; parameters are numbered from `first`. */
export function compileFilter(tree: FilterTree, table: string, first: number): Condition {
  if (tree.kind === "compare") {
    const field = FIELDS.get(tree.field);
    assert(field !== undefined, `filter field ${tree.field} was not checked`);
    return { sql: `${table}.${field.column} ${tree.operator} $${first}`, values: [tree.value] };
  }
  const values: FieldValue[] = [];
  const parts = tree.all.map((part) => {
    const condition = compileFilter(part, table, first + values.length);
    values.push(...condition.values);
    return condition.sql;
  });
  return { sql: `(${parts.join(" AND ")})`, values };
}
