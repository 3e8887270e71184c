/**
 * Canonical JSON (RFC 8785): one text for one value, so that a hash of a value means something. The engine's own writer
 * writes numbers and texts as prescribed, so a plain value only needs its keys put in order; every other one (keys that
 * are numbers, which an object does not keep in order, and what JSON has no form for) goes to the library.
 * Does not know what is hashed. `undefined` members are left out, as JSON.stringify does.
 */
import canonicalize from "canonicalize";
import { assert } from "./errors.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Beyond it a value is the library's, which tells a cycle from depth. */
const MOST_DEPTH = 200;
/** Stands for a value that is not plain. */
const ODD = Symbol("odd");

/**
 * Returns the canonical JSON text of a value.
 * Throws: a bug where the value has no JSON form (a function, NaN, a cycle).
 */
export function canonicalJson(value: unknown): string {
  const ordered = inOrder(value, MOST_DEPTH);
  const text = ordered === ODD ? canonicalize(value) : JSON.stringify(ordered);
  assert(text !== undefined, "value has no JSON form");
  return text;
}

/**
 * Whether a value that was read from JSON has a canonical text. Not all have one: an escape may stand for half of a surrogate
 * pair, a number may be too large to be one, and what is nested too deeply exhausts the stack of whoever reads it.
 */
export function hasCanonicalForm(value: unknown): boolean {
  return isFormed(value, MOST_DEPTH);
}

function isFormed(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((entry) => isFormed(entry, depth - 1));
  const given = value as Record<string, unknown>;
  return Object.keys(given).every((key) => key.isWellFormed() && isFormed(given[key], depth - 1));
}

/** The value with the keys of its objects in order: itself where they are so already. */
function inOrder(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.isWellFormed() ? value : ODD;
  if (typeof value === "number") return Number.isFinite(value) ? value : ODD;
  if (typeof value !== "object") return typeof value === "boolean" || value === undefined ? value : ODD;
  if (value === null) return value;
  if (depth === 0) return ODD;
  return Array.isArray(value) ? listInOrder(value, depth - 1) : objectInOrder(value, depth - 1);
}

function listInOrder(list: readonly unknown[], depth: number): unknown {
  let ordered: unknown[] | null = null;
  for (let i = 0; i < list.length; i++) {
    const entry = inOrder(list[i], depth);
    if (entry === ODD) return ODD;
    if (entry !== list[i]) ordered ??= list.slice();
    if (ordered !== null) ordered[i] = entry;
  }
  return ordered ?? list;
}

function objectInOrder(object: object, depth: number): unknown {
  if (Object.getPrototypeOf(object) !== Object.prototype) return ODD;
  const given = object as Record<string, unknown>;
  const keys = Object.keys(given);
  let isOrdered = true;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    if (isOddKey(key)) return ODD;
    if (i > 0 && key < (keys[i - 1] as string)) isOrdered = false;
  }
  if (!isOrdered) keys.sort();
  let ordered: Record<string, unknown> | null = isOrdered ? null : {};
  for (const key of keys) {
    const entry = inOrder(given[key], depth);
    if (entry === ODD) return ODD;
    if (entry !== given[key]) ordered ??= { ...given };
    if (ordered !== null) ordered[key] = entry;
  }
  return ordered ?? given;
}

/** A key that an object would not hold in its place, or not hold at all. */
function isOddKey(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first >= 48 && first <= 57) || key === "__proto__" || !key.isWellFormed();
}
