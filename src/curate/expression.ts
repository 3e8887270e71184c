/**
 * Filter expressions: `eval_passed=true and confidence>=0.9`, read into a tree whose every field, operator and value
 * has been checked. A value is a bare word (no spaces, quotes, parentheses or commas) or is quoted by ' or ", a quote
 * inside being doubled. A field that has no value satisfies no comparison. Knows no SQL.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { FIELDS, type Field, type FieldValue } from "./fields.ts";

export const OPERATORS = ["=", "!=", "<", "<=", ">", ">="] as const;
export type Operator = (typeof OPERATORS)[number];

export type FilterTree =
  | { kind: "and"; all: FilterTree[] }
  | { kind: "compare"; field: string; operator: Operator; value: FieldValue };

const EXAMPLE = "eval_passed=true and confidence>=0.9";
const SPACE = /\s*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /!=|<=|>=|=|<|>/y;
const QUOTED = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;
const BARE = /[^\s'"(),=<>!]+/y;
const AND = /and(?![A-Za-z0-9_])/iy;

/**
 * Reads a filter expression into a checked tree.
 * Throws: `UNKNOWN_FILTER_FIELD` with the nearest known ones; `BAD_FILTER` with the place of what could not be read.
 */
export function parseFilter(source: string): FilterTree {
  let at = 0;

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) at += found[0].length;
    return found;
  }

  function need(pattern: RegExp, what: string): RegExpExecArray {
    take(SPACE);
    const found = take(pattern);
    if (found === null) throw badFilter(source, at, what);
    return found;
  }

  function comparison(): FilterTree {
    const name = need(NAME, "a field name")[0];
    const field = FIELDS.get(name);
    if (field === undefined) throw unknownName("filter field", name, FIELDS.keys());
    const operator = need(OPERATOR, `one of ${OPERATORS.join(" ")}`)[0] as Operator;
    take(SPACE);
    const start = at;
    const quoted = take(QUOTED);
    const word = quoted === null ? need(BARE, "a value")[0] : unquote(quoted);
    const value = typedValue(word, field);
    if (value === null) throw badFilter(source, start, VALUES[field.type]);
    if (field.type !== "number" && operator !== "=" && operator !== "!=") {
      throw badFilter(source, start, `= or != (${name} is ${field.type === "text" ? "a text" : "true or false"})`);
    }
    return { kind: "compare", field: name, operator, value };
  }

  const all = [comparison()];
  for (take(SPACE); at < source.length; take(SPACE)) {
    need(AND, "`and` or the end");
    all.push(comparison());
  }
  return all.length === 1 ? (all[0] as FilterTree) : { kind: "and", all };
}

/** Writes a tree as the expression that reads back as the same tree. */
export function formatFilter(tree: FilterTree): string {
  if (tree.kind === "and") return tree.all.map(formatFilter).join(" and ");
  const { field, operator, value } = tree;
  return `${field}${operator}${typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : value}`;
}

const VALUES = { text: "a text", number: "a number such as 0.9", boolean: "true or false" } as const;

function typedValue(word: string, field: Field): FieldValue | null {
  if (field.type === "text") return word;
  if (field.type === "boolean") return word === "true" ? true : word === "false" ? false : null;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) && Number.isFinite(Number(word)) ? Number(word) : null;
}

function unquote([, single, double]: RegExpExecArray): string {
  return single === undefined ? (double ?? "").replaceAll('""', '"') : single.replaceAll("''", "'");
}

function badFilter(source: string, at: number, expected: string): Refusal {
  const rest = source.slice(at, at + 40);
  return new Refusal({
    code: "BAD_FILTER",
    message: "The filter expression cannot be read.",
    expected,
    got: rest === "" ? "the end of the expression" : JSON.stringify(rest),
    where: `--filter, character ${at + 1}`,
    fix: `write it like "${EXAMPLE}"; quote values with spaces: kind='group by'`,
  });
}
