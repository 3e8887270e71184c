/**
 * Says of one row of the lake's examples whether a filter is true of it: the meaning of a filter, to which the SQL of
 * `compile.ts` is held by a test.
 */

import { FIELDS, type FieldValue } from "../../src/curate/fields.ts";
import type { FilterTree, Operator } from "../../src/curate/filter-tree.ts";
import { assert } from "../../src/foundation/errors.ts";

/** By column of the lake; what is absent or null has no value. Numbers are finite. */
export type FilterRow = Readonly<Record<string, FieldValue | readonly string[] | null>>;

/** Returns whether the filter lets the row through. */
export function evaluate(tree: FilterTree, row: FilterRow): boolean {
  switch (tree.kind) {
    case "and":
      return tree.of.every((part) => evaluate(part, row));
    case "or":
      return tree.of.some((part) => evaluate(part, row));
    case "not":
      return !evaluate(tree.negated, row);
    case "compare": {
      const value = fieldValue(tree.field, row);
      return value !== null && COMPARISONS[tree.operator](value, tree.value);
    }
    case "in": {
      const value = fieldValue(tree.field, row);
      return value !== null && tree.values.includes(value) !== tree.isNegated;
    }
    case "null":
      return (fieldValue(tree.field, row) === null) !== tree.isNegated;
    case "flag": {
      const { flags } = row;
      return Array.isArray(flags) && flags.includes(tree.flag);
    }
  }
}

const COMPARISONS: Record<Operator, (x: FieldValue, y: FieldValue) => boolean> = {
  "=": (x, y) => x === y,
  "!=": (x, y) => x !== y,
  "<": (x, y) => x < y,
  "<=": (x, y) => x <= y,
  ">": (x, y) => x > y,
  ">=": (x, y) => x >= y,
};

function fieldValue(name: string, row: FilterRow): FieldValue | null {
  const field = FIELDS.get(name);
  assert(field !== undefined, `filter field ${name} was not checked`);
  const value = row[field.column] ?? null;
  return value as FieldValue | null; // no field reads a list
}
