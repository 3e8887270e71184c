/**
 * JSON as Python writes it: with NaN and Infinity, which JSON has not.
 */
import type { Json } from "./canonical-json.ts";
import { jsonValue } from "./json-value.ts";

/** Parses a value, with null for what JSON has no number for; undefined where it is no JSON even so. */
export function parsePythonJson(text: string): Json | undefined {
  const value = jsonValue(text);
  return (value === undefined ? jsonValue(withoutNaN(text) ?? "") : value) as Json | undefined;
}

/** The text with null for every number that Python alone writes; null where it has none. */
function withoutNaN(text: string): string | null {
  const token = /"|-?Infinity|NaN/g;
  const parts: string[] = [];
  let end = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '"') {
      token.lastIndex = stringEnd(text, found.index + 1);
      continue;
    }
    parts.push(text.slice(end, found.index), "null");
    end = token.lastIndex;
  }
  return end === 0 ? null : parts.join("") + text.slice(end);
}

/** The place behind the quote that ends a string. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
