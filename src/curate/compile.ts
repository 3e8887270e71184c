/**
 * Turns checked filter trees into SQL conditions that are true or false, never unknown. Only column names and operators
 * from closed tables reach the text; every value becomes a parameter.
 */
import { assert } from "../foundation/errors.ts";
import { FIELDS, type FieldValue } from "./fields.ts";
import type { FilterTree } from "./filter-tree.ts";

export interface Conditions {
  /** One for each tree, to be put together as it is: each stands in parentheses or is one call. */
  sql: string[];
  /** By name, over all conditions: `$filter0` is `filter0`. */
  parameters: Record<string, FieldValue>;
}

/** Compiles trees to conditions on `<table>`'s columns; parameters are named `<prefix><n>`. */
export function compileFilters(trees: readonly FilterTree[], table: string, prefix = "filter"): Conditions {
  const parameters: Record<string, FieldValue> = {};
  let count = 0;

  function parameter(value: FieldValue): string {
    const name = `${prefix}${count++}`;
    // As text, because the driver takes every whole number for a BIGINT, however large.
    parameters[name] = typeof value === "number" ? String(value) : value;
    return typeof value === "number" ? `$${name}::DOUBLE` : `$${name}`;
  }

  function column(name: string): string {
    const field = FIELDS.get(name);
    assert(field !== undefined, `filter field ${name} was not checked`);
    return `${table}."${field.column}"${field.type === "number" ? "::DOUBLE" : ""}`;
  }

  function compile(tree: FilterTree): string {
    switch (tree.kind) {
      case "and":
      case "or":
        if (tree.of.length === 0) return String(tree.kind === "and");
        return `(${tree.of.map(compile).join(tree.kind === "and" ? " AND " : " OR ")})`;
      case "not":
        return `(NOT ${compile(tree.negated)})`;
      case "compare":
        return `coalesce(${column(tree.field)} ${tree.operator} ${parameter(tree.value)}, false)`;
      case "in": {
        const values = tree.values.map(parameter).join(", ");
        return `coalesce(${column(tree.field)} ${tree.isNegated ? "NOT IN" : "IN"} (${values}), false)`;
      }
      case "null":
        return `(${column(tree.field)} IS ${tree.isNegated ? "NOT NULL" : "NULL"})`;
      case "flag":
        return `coalesce(list_contains(${table}.flags, ${parameter(tree.flag)}), false)`;
    }
  }
  return { sql: trees.map(compile), parameters };
}
