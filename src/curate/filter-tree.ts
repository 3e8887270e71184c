/**
 * A filter as a tree: what `expression.ts` reads and `compile.ts` makes SQL of.
 *
 * A filter is true or false of a row, never unknown: a field without a value satisfies no comparison, `!=` and `not in`
 * included, and no list. So `not confidence>=0.9` is true of a row without confidence, and `confidence<0.9` is not.
 */
import type { VERDICT_FLAGS } from "../records/verdict.ts";
import { type FieldValue, OUTCOME_FIELDS } from "./fields.ts";

export const OPERATORS = ["=", "!=", "<", "<=", ">", ">="] as const;
export type Operator = (typeof OPERATORS)[number];
export type VerdictFlag = (typeof VERDICT_FLAGS)[number];

/** Flags that say how an attempt came to be recorded, whatever came of it. */
const RECORD_FLAGS: ReadonlySet<VerdictFlag> = new Set(["clipped", "imported"]);

/** Every field, operator, value and flag has been checked; an `and` holds no `and`, an `or` no `or`. */
export type FilterTree =
  | { kind: "and" | "or"; of: FilterTree[] }
  | { kind: "not"; negated: FilterTree }
  | { kind: "compare"; field: string; operator: Operator; value: FieldValue }
  | { kind: "in"; field: string; isNegated: boolean; values: FieldValue[] }
  | { kind: "null"; field: string; isNegated: boolean }
  | { kind: "flag"; flag: VerdictFlag };

/** Joins trees, one at least, into one: what is joined by the same word already becomes part of it. */
export function joined(kind: "and" | "or", trees: readonly FilterTree[]): FilterTree {
  const of = trees.flatMap((tree) => (tree.kind === kind ? tree.of : [tree]));
  return of.length === 1 ? (of[0] as FilterTree) : { kind, of };
}

/** Returns the clauses that a row must all satisfy, in the order written. */
export function clausesOf(tree: FilterTree): FilterTree[] {
  return tree.kind === "and" ? tree.of : [tree];
}

/** Keeps the clauses that ask nothing of how the attempt ended. */
export function withoutOutcome(tree: FilterTree): FilterTree {
  return { kind: "and", of: clausesOf(tree).filter((clause) => !asksForOutcome(clause)) };
}

function asksForOutcome(tree: FilterTree): boolean {
  switch (tree.kind) {
    case "and":
    case "or":
      return tree.of.some(asksForOutcome);
    case "not":
      return asksForOutcome(tree.negated);
    case "flag":
      return !RECORD_FLAGS.has(tree.flag);
    default:
      return OUTCOME_FIELDS.has(tree.field);
  }
}

/** Writes a tree as the expression that reads back as the same tree, with no parentheses but the needed ones. */
export function formatFilter(tree: FilterTree): string {
  switch (tree.kind) {
    case "or":
      return tree.of.map(formatFilter).join(" or ");
    case "and":
      return tree.of.map((part) => (part.kind === "or" ? `(${formatFilter(part)})` : formatFilter(part))).join(" and ");
    case "not": {
      const negated = formatFilter(tree.negated);
      return tree.negated.kind === "and" || tree.negated.kind === "or" ? `not (${negated})` : `not ${negated}`;
    }
    case "compare":
      return `${tree.field}${tree.operator}${formatValue(tree.value)}`;
    case "in":
      return `${tree.field} ${tree.isNegated ? "not in" : "in"} (${tree.values.map(formatValue).join(", ")})`;
    case "null":
      return `${tree.field} ${tree.isNegated ? "is not null" : "is null"}`;
    case "flag":
      return `flag(${tree.flag})`;
  }
}

function formatValue(value: FieldValue): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
