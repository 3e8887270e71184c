/**
 * Canonical JSON (RFC 8785): one text for one value, so that a hash of a value means something.
 * Does not know what is hashed. `undefined` members are left out, as JSON.stringify does.
 */
import canonicalize from "canonicalize";
import { assert } from "./errors.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Returns the canonical JSON text of a value.
 * Throws: a bug where the value has no JSON form (a function, NaN, a cycle).
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  assert(text !== undefined, "value has no JSON form");
  return text;
}
