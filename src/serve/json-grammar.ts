/**
 * A JSON schema as a grammar (GBNF, llama.cpp's notation) that lets through only JSON that fits it, in one spelling:
 * keys in the schema's order, no white space but one blank behind a comma or colon. So a model cannot run on in blanks,
 * and what it may still say is told by the schema alone. A keyword that the grammar could not hold to is refused, never
 * dropped; words that bind nothing (`description`) are passed over. Pure: does not know llama.cpp.
 */
import { Refusal } from "../foundation/errors.ts";

const PASSED_OVER = new Set(["$schema", "$comment", "title", "description", "default", "examples", "deprecated"]);

const KEYWORDS: Record<string, readonly string[]> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
  string: ["minLength", "maxLength"],
  number: ["minimum", "maximum"],
  integer: ["minimum", "maximum"],
  boolean: [],
  null: [],
};

const MOST_DEPTH = 32;
/** llama.cpp writes a repetition out, each time once. */
const MOST_REPEATS = 1024;
const MOST_RULES = 2000;
/** A range of numbers is written out number by number. */
const MOST_WHOLE = 1000;
/** Numbers have 15 digits at most, so that a double holds them. */
const BEYOND_ANY = 1e15;

const TERMINALS = {
  gap: `" "?`,
  // No escaped half of a surrogate pair: alone it would be no Unicode.
  char: `[ !#-\\[\\]-~\\u0080-\\uD7FF\\uE000-\\U0010FFFF] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cefA-CEF] hex hex hex | [dD] [0-7] hex hex))`,
  hex: `[0-9a-fA-F]`,
  whole: `"0" | [1-9] [0-9]{0,14}`,
  fraction: `"." [0-9]{1,15}`,
};

type Node = Record<string, unknown>;

interface Writing {
  rules: Map<string, string>;
  depth: number;
}

/**
 * Returns the grammar of a schema.
 * Shapes: `where` is the schema's place in the request.
 * Throws: `BAD_REQUEST` naming the keyword.
 */
export function jsonGrammar(schema: unknown, where: string): string {
  const rules = new Map(Object.entries(TERMINALS));
  const root = written(schema, where, { rules, depth: 0 });
  return [["root", root], ...rules].map(([name, rule]) => `${name} ::= ${rule}\n`).join("");
}

function written(schema: unknown, where: string, { rules, depth }: Writing): string {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw refusal(where, { message: "is no schema", expected: "an object" });
  }
  if (depth > MOST_DEPTH) throw refusal(where, { message: "lies too deep", expected: `${MOST_DEPTH} levels at most` });
  if (rules.size > MOST_RULES) throw refusal(where, { message: "makes the schema too large" });
  const node = schema as Node;
  const inside = { rules, depth: depth + 1 };
  const { anyOf } = node;
  if (anyOf !== undefined) {
    checkKeywords(node, ["anyOf"], where);
    const branches = listOf(anyOf, `${where}.anyOf`);
    return either(branches.map((branch, i) => written(branch, `${where}.anyOf.${i}`, inside)));
  }
  if ("enum" in node || "const" in node) return oneOfValues(node, where);
  const types = typesOf(node, where);
  checkKeywords(node, ["type", ...types.flatMap((type) => KEYWORDS[type] ?? [])], where);
  return either(types.map((type) => ofType(type, node, { where, inside })));
}

function ofType(type: string, node: Node, { where, inside }: { where: string; inside: Writing }): string {
  if (type === "object") return objectOf(node, where, inside);
  if (type === "array") return arrayOf(node, where, inside);
  if (type === "string") return `"\\"" char${repeats(node, ["minLength", "maxLength"], where)} "\\""`;
  if (type === "boolean") return `("true" | "false")`;
  if (type === "null") return `"null"`;
  return numberOf(type, node, where);
}

function objectOf(node: Node, where: string, inside: Writing): string {
  const { properties = {}, required = [], additionalProperties = false } = node;
  if (additionalProperties !== false) {
    throw refusal(`${where}.additionalProperties`, { message: "is not supported", expected: "false" });
  }
  if (typeof properties !== "object" || properties === null) {
    throw refusal(`${where}.properties`, { message: "is not what it must be", expected: "an object of schemas" });
  }
  const needed = listOf(required, `${where}.required`, 0);
  const unknown = needed.find((key) => !Object.hasOwn(properties, String(key)));
  if (unknown !== undefined) {
    throw refusal(`${where}.required`, { message: `names "${unknown}", which is none of the properties` });
  }
  const entries = Object.entries(properties).map(([key, value]) => ({
    rule: `${literal(key)} ":" gap ${written(value, `${where}.properties.${key}`, inside)}`,
    isNeeded: needed.includes(key),
  }));
  return `"{" ${entriesFrom(entries, inside.rules)} "}"`;
}

/** From the last entry to the first: what may follow where something stands before it already, and where nothing does. */
function entriesFrom(entries: readonly { rule: string; isNeeded: boolean }[], rules: Map<string, string>): string {
  let after = `""`;
  let first = `""`;
  for (const { rule, isNeeded } of entries.toReversed()) {
    const entry = named(rule, rules);
    const [behind, ahead] = [after, first];
    after = named(`"," gap ${entry} ${behind}${isNeeded ? "" : ` | ${behind}`}`, rules);
    first = named(`${entry} ${behind}${isNeeded ? "" : ` | ${ahead}`}`, rules);
  }
  return first;
}

function arrayOf(node: Node, where: string, inside: Writing): string {
  if (node.items === undefined) throw refusal(`${where}.items`, { message: "is missing", expected: "a schema" });
  const item = named(written(node.items, `${where}.items`, inside), inside.rules);
  const { least, most } = bounds(node, ["minItems", "maxItems"], where);
  if (most === 0) return `"[]"`;
  const others = `("," gap ${item}){${Math.max(least - 1, 0)},${most === null ? "" : most - 1}}`;
  return least === 0 ? `"[" (${item} ${others})? "]"` : `"[" ${item} ${others} "]"`;
}

function numberOf(type: string, node: Node, where: string): string {
  const { minimum: least = -BEYOND_ANY, maximum: most = BEYOND_ANY } = node;
  const digits = type === "number" ? "whole fraction?" : "whole";
  if (typeof least !== "number" || typeof most !== "number") {
    const keyword = typeof least === "number" ? "maximum" : "minimum";
    throw refusal(`${where}.${keyword}`, { message: "is not what it must be", expected: "a number" });
  }
  if (least <= -BEYOND_ANY && most >= BEYOND_ANY) return `"-"? ${group(digits)}`;
  if (least === 0 && most >= BEYOND_ANY) return group(digits);
  const isListed = Number.isInteger(least) && Number.isInteger(most) && 0 <= least && most <= MOST_WHOLE;
  if (!isListed || least > most) {
    throw refusal(`${where}.${least <= -BEYOND_ANY || (least >= 0 && most > MOST_WHOLE) ? "maximum" : "minimum"}`, {
      message: "is not supported",
      expected: `none, a minimum of 0 alone, or both as whole numbers from 0 to ${MOST_WHOLE}, the lower one first`,
    });
  }
  const whole = Array.from({ length: most - least + 1 }, (_, i) => `"${least + i}"`);
  if (type === "integer") return either(whole);
  const last = `${whole.at(-1)} ("." "0")?`;
  return most === least ? last : either([`${either(whole.slice(0, -1))} fraction?`, last]);
}

function oneOfValues(node: Node, where: string): string {
  const keyword = "enum" in node ? "enum" : "const";
  checkKeywords(node, ["type", keyword], where);
  const values = keyword === "enum" ? listOf(node.enum, `${where}.enum`) : [node.const];
  const types = node.type === undefined ? null : typesOf(node, where);
  for (const value of values) {
    if (typeof value === "object" && value !== null) {
      throw refusal(`${where}.${keyword}`, {
        message: "is not supported",
        expected: "texts, numbers, true, false, null",
      });
    }
    if (types !== null && !types.some((type) => isOf(type, value))) {
      throw refusal(`${where}.${keyword}`, { message: "has a value of another type", got: JSON.stringify(value) });
    }
  }
  return either(values.map(literal));
}

function isOf(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  return type === (value === null ? "null" : typeof value);
}

function typesOf({ type }: Node, where: string): string[] {
  const types = [type].flat();
  const isKnown = types.length > 0 && types.every((one) => typeof one === "string" && Object.hasOwn(KEYWORDS, one));
  if (isKnown) return types as string[];
  throw refusal(`${where}.type`, {
    message: type === undefined ? "is missing" : "is not supported",
    expected: `one or more of: ${Object.keys(KEYWORDS).join(", ")}`,
  });
}

function repeats(node: Node, keywords: [string, string], where: string): string {
  const { least, most } = bounds(node, keywords, where);
  return most === null && least === 0 ? "*" : `{${least},${most ?? ""}}`;
}

function bounds(node: Node, [low, high]: [string, string], where: string): { least: number; most: number | null } {
  const count = (keyword: string) => {
    const value = node[keyword];
    if (value === undefined) return null;
    if (Number.isInteger(value) && 0 <= (value as number) && (value as number) <= MOST_REPEATS) return value as number;
    throw refusal(`${where}.${keyword}`, {
      message: "is not supported",
      expected: `a whole number from 0 to ${MOST_REPEATS}`,
      got: JSON.stringify(value),
    });
  };
  const least = count(low) ?? 0;
  const most = count(high);
  if (most !== null && most < least) throw refusal(`${where}.${high}`, { message: `is less than ${low}` });
  return { least, most };
}

function checkKeywords(node: Node, known: readonly string[], where: string): void {
  const other = Object.keys(node).find((keyword) => !known.includes(keyword) && !PASSED_OVER.has(keyword));
  if (other === undefined) return;
  throw refusal(`${where}.${other}`, { message: "is not supported", expected: `here only: ${known.join(", ")}` });
}

function listOf(value: unknown, where: string, least = 1): unknown[] {
  if (Array.isArray(value) && value.length >= least) return value;
  throw refusal(where, {
    message: "is not what it must be",
    expected: least > 0 ? "a list that is not empty" : "a list",
  });
}

function refusal(where: string, details: { message: string; expected?: string; got?: string }): Refusal {
  return new Refusal({ ...details, code: "BAD_REQUEST", message: `${where}: ${details.message}`, where });
}

/** JSON escapes what GBNF would escape, and in the same way. */
function literal(value: unknown): string {
  return JSON.stringify(JSON.stringify(value));
}

function either(rules: readonly string[]): string {
  return rules.length === 1 ? (rules[0] as string) : group(rules.join(" | "));
}

function group(rule: string): string {
  return `(${rule})`;
}

/** A rule that is named is not written out again where it is repeated. */
function named(rule: string, rules: Map<string, string>): string {
  const name = `r${rules.size}`;
  rules.set(name, rule);
  return name;
}
