/**
 * How values lie in the attributes of a span: lists are flattened to numbered keys, and objects are JSON.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { parseJson } from "../reading/json.ts";
import { textIn } from "../reading/shapes.ts";
import type { Attributes } from "./otel-spans.ts";

/** The entries of a flattened list (`prefix.N.rest`), by their numbers, each with the rests as its keys. */
export function flatList(attributes: Attributes, prefix: string): Map<string, Json>[] {
  const start = `${prefix}.`;
  const entries = new Map<number, Map<string, Json>>();
  for (const [key, value] of attributes) {
    if (!key.startsWith(start)) continue;
    const found = /^(\d{1,9})(?:\.(.+))?$/s.exec(key.slice(start.length));
    if (found === null) continue;
    const [, digits, rest = ""] = found;
    const entry = entries.get(Number(digits)) ?? new Map<string, Json>();
    entries.set(Number(digits), entry.set(rest, value));
  }
  return [...entries].sort(([x], [y]) => x - y).map(([, entry]) => entry);
}

/** The first of some attributes that is there. */
export function firstOf(attributes: Attributes, ...keys: readonly string[]): Json | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The first of some attributes that is a text and not empty; null where none is. */
export function firstText(attributes: Attributes, ...keys: readonly string[]): string | null {
  for (const key of keys) {
    const text = textIn(attributes.get(key));
    if (text !== null && text !== "") return text;
  }
  return null;
}

/** The first of some attributes that is a number, or text that says one. */
export function firstNumber(attributes: Attributes, ...keys: readonly string[]): number | null {
  const value = firstOf(attributes, ...keys);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/**
 * An attribute's value, parsed where it is JSON in a text. Exporters cut what is too long: where it begins as JSON and
 * does not end as such, it `isClipped` and has no value.
 */
export function structured(value: Json | undefined): { value: Json | undefined; isClipped: boolean } {
  if (typeof value !== "string" || !BEGINS_AS_JSON.test(value)) return { value, isClipped: false };
  const read = parseJson(value);
  return "value" in read ? { value: read.value, isClipped: false } : { value: undefined, isClipped: true };
}

/** How a list of lists or objects begins, or an object that has something in it. */
export const BEGINS_AS_JSON = /^\s*(\[\s*[{["\]]|\{\s*["}])/;
