/**
 * Reads a filter expression, such as `eval_passed=true and not (family in (sshd, audit) or flag(noop-pass))`, into a
 * tree whose every field, operator, value and flag has been checked. `not` binds closer than `and`, and `and` than
 * `or`; these words are read in any case. A value is a bare word (no spaces, quotes, parentheses or commas) or is quoted
 * by ' or ", a quote inside being doubled. Length and depth are bounded, as a text may be hostile. Knows no SQL.
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { VERDICT_FLAGS } from "../records/verdict.ts";
import { FIELDS, type Field, type FieldType, type FieldValue } from "./fields.ts";
import { type FilterTree, formatFilter, joined, OPERATORS, type Operator, type VerdictFlag } from "./filter-tree.ts";

/** Most characters of an expression, as it is given and as it is written out. */
export const MAX_LENGTH = 20_000;
/** Most open parentheses and `not` around a comparison. */
export const MAX_DEPTH = 64;

const EXAMPLE = "eval_passed=true and confidence>=0.9";
const word = (text: string) => new RegExp(`${text}(?![A-Za-z0-9_])`, "iy");
const AND = word("and");
const OR = word("or");
const NOT = word("not");
const IN = word("in");
const IS = word("is");
const NULL = word("null");
const FLAG = word("flag");
const RESERVED = word("(?:and|or|not|in|is|null)");
const SPACE = /\s*/y;
const OPEN = /\(/y;
const CLOSE = /\)/y;
const COMMA = /,/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /!=|<=|>=|=|<|>/y;
const QUOTED = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;
const BARE = /[^\s'"(),=<>!]+/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const LONE_SURROGATE = /\p{Surrogate}/u;

const KINDS = { text: "a text", number: "a number", boolean: "true or false" } as const;
const VALUES = { ...KINDS, number: "a number such as 0.9" } as const;

/** How far a text has been read. */
interface Reader {
  readonly source: string;
  at: number;
}

/** A field and what it was called. */
type NamedField = Field & { name: string };

/**
 * Reads a filter expression into a checked tree.
 * Throws: `UNKNOWN_FILTER_FIELD` and `UNKNOWN_VERDICT_FLAG` with the nearest known ones; `BAD_FILTER` with the place
 * of what could not be read.
 */
export function parseFilter(source: string): FilterTree {
  refuseLength(source);
  const reader: Reader = { source, at: 0 };
  const surrogate = LONE_SURROGATE.exec(source);
  if (surrogate !== null) throw badFilter({ source, at: surrogate.index }, "whole characters");
  const tree = disjunction(reader, 0);
  if (!isAtEnd(reader)) throw badFilter(reader, "`and`, `or` or the end");
  refuseLength(formatFilter(tree));
  return tree;
}

function disjunction(reader: Reader, depth: number): FilterTree {
  const all = [conjunction(reader, depth)];
  while (take(reader, OR)) all.push(conjunction(reader, depth));
  return joined("or", all);
}

function conjunction(reader: Reader, depth: number): FilterTree {
  const all = [negation(reader, depth)];
  while (take(reader, AND)) all.push(negation(reader, depth));
  return joined("and", all);
}

function negation(reader: Reader, depth: number): FilterTree {
  const { at } = reader;
  const deeper = () => {
    if (depth < MAX_DEPTH) return depth + 1;
    throw badFilter({ ...reader, at }, `at most ${MAX_DEPTH} open parentheses and \`not\` around a comparison`);
  };
  if (take(reader, NOT)) return { kind: "not", negated: negation(reader, deeper()) };
  if (take(reader, FLAG)) return verdictFlag(reader);
  if (!take(reader, OPEN)) return comparison(reader);
  const tree = disjunction(reader, deeper());
  need(reader, CLOSE, "`and`, `or` or )");
  return tree;
}

function verdictFlag(reader: Reader): FilterTree {
  need(reader, OPEN, "( and a verdict flag");
  const place = placeOf(reader);
  const name = readText(reader, "a verdict flag").text;
  if (!VERDICT_FLAGS.includes(name as VerdictFlag)) throw unknownAt("verdict flag", name, VERDICT_FLAGS, place);
  need(reader, CLOSE, ")");
  return { kind: "flag", flag: name as VerdictFlag };
}

function comparison(reader: Reader): FilterTree {
  const field = readField(reader);
  const isNegated = take(reader, NOT) !== null;
  if (take(reader, IN)) return { kind: "in", field: field.name, isNegated, values: readList(reader, field) };
  if (isNegated) throw badFilter(reader, "`in` and a list such as (a, b)");
  if (take(reader, IS)) {
    const isNot = take(reader, NOT) !== null;
    need(reader, NULL, isNot ? "`null`" : "`null` or `not null`");
    return { kind: "null", field: field.name, isNegated: isNot };
  }
  const start = placeOf(reader);
  const ways = `one of ${OPERATORS.join(" ")}, or \`in\`, \`not in\`, \`is null\`, \`is not null\``;
  const operator = need(reader, OPERATOR, ways)[0] as Operator;
  if (field.type !== "number" && operator !== "=" && operator !== "!=") {
    throw badFilter(start, `= or != (${field.name} is ${KINDS[field.type]})`);
  }
  return { kind: "compare", field: field.name, operator, value: readValue(reader, field) };
}

function readField(reader: Reader): NamedField {
  const place = placeOf(reader);
  if (take(reader, RESERVED)) throw badFilter(place, "a field name");
  const name = need(reader, NAME, "a field name, `not`, `flag(...)` or (")[0];
  const field = FIELDS.get(name);
  if (field === undefined) throw unknownAt("filter field", name, FIELDS.keys(), place);
  return { ...field, name };
}

function readList(reader: Reader, field: NamedField): FieldValue[] {
  need(reader, OPEN, "a list such as (a, b)");
  const values = [readValue(reader, field)];
  while (take(reader, COMMA)) values.push(readValue(reader, field));
  need(reader, CLOSE, ", or )");
  return values;
}

function readValue(reader: Reader, { name, type }: NamedField): FieldValue {
  const place = placeOf(reader);
  const { text, isQuoted } = readText(reader, "a value");
  if (!isQuoted && text.toLowerCase() === "null") {
    throw badFilter(place, `${VALUES[type]} (\`${name} is null\` asks for examples without one)`);
  }
  const value = typedValue(text, type);
  if (value === null) throw badFilter(place, `${VALUES[type]}, as ${name} is compared with`);
  return value;
}

function typedValue(text: string, type: FieldType): FieldValue | null {
  if (type === "text") return text;
  if (type === "boolean") return { true: true, false: false }[text.toLowerCase()] ?? null;
  return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) + 0 : null; // -0 is written as 0
}

function readText(reader: Reader, what: string): { text: string; isQuoted: boolean } {
  const quoted = take(reader, QUOTED);
  if (quoted === null) return { text: need(reader, BARE, what)[0], isQuoted: false };
  const [, single, double] = quoted;
  const text = single === undefined ? (double ?? "").replaceAll('""', '"') : single.replaceAll("''", "'");
  return { text, isQuoted: true };
}

/** Reads what the pattern says, after spaces. */
function take(reader: Reader, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = placeOf(reader).at;
  const found = pattern.exec(reader.source);
  if (found !== null) reader.at = pattern.lastIndex;
  return found;
}

function need(reader: Reader, pattern: RegExp, what: string): RegExpExecArray {
  const found = take(reader, pattern);
  if (found === null) throw badFilter(reader, what);
  return found;
}

/** Where the next thing begins, after spaces; stays there when the reader goes on. */
function placeOf({ source, at }: Reader): Reader {
  SPACE.lastIndex = at;
  SPACE.exec(source);
  return { source, at: SPACE.lastIndex };
}

function isAtEnd(reader: Reader): boolean {
  return placeOf(reader).at === reader.source.length;
}

function where(place: Reader): string {
  return `--filter, character ${placeOf(place).at + 1}`;
}

function badFilter(place: Reader, expected: string): Refusal {
  const { source, at } = placeOf(place);
  const rest = source.slice(at, at + 40);
  return new Refusal({
    code: "BAD_FILTER",
    message: "The filter expression cannot be read.",
    expected,
    got: rest === "" ? "the end of the expression" : JSON.stringify(rest),
    where: where(place),
    fix: `write it like "${EXAMPLE}"; quote values with spaces: kind='group by'`,
  });
}

function unknownAt(kind: string, name: string, known: Iterable<string>, place: Reader): Refusal {
  return new Refusal({ ...unknownName(kind, name, known).details, where: where(place) });
}

function refuseLength(text: string): void {
  if (text.length <= MAX_LENGTH) return;
  throw new Refusal({
    code: "BAD_FILTER",
    message: "The filter expression is too long.",
    expected: `at most ${MAX_LENGTH} characters, also when it is written out with its quotes`,
    got: `${text.length} characters`,
    where: "--filter",
    fix: "name families rather than items, or export once for each part",
  });
}
