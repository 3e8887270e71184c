/**
 * Reads JSON that anyone may have written, with limits that are named: what is longer, deeper or no Unicode is refused
 * with that reason, and never reaches a log.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import type { Json } from "../../foundation/canonical-json.ts";
import { LINE_LIMIT_BYTES, readLines } from "../../foundation/jsonl.ts";
import { parsePythonJson } from "../../foundation/python-json.ts";
import type { Rejected } from "../foreign.ts";

/** Of one line or one whole file: more is not held in memory. */
export const MOST_DOCUMENT_BYTES = LINE_LIMIT_BYTES;
const MOST_DEPTH = 100;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

export type Read = { value: Json } | { reason: string };

/**
 * Parses one value. Of keys that an object has twice the last one holds, as in every parser of JavaScript. What Python
 * writes for numbers that JSON has not (NaN, Infinity) is read as null.
 */
export function parseJson(text: string): Read {
  const value = parsePythonJson(text);
  if (value === undefined) return { reason: "it is not JSON" };
  const fault = faultOf(value, MOST_DEPTH);
  return fault === null ? { value } : { reason: fault };
}

/** As `parseJson`, of bytes. */
export function parseBytes(bytes: Uint8Array): Read {
  if (bytes.length > MOST_DOCUMENT_BYTES) return { reason: tooLong(bytes.length) };
  const text = decoded(bytes);
  return text === null ? NOT_UTF8 : parseJson(text);
}

const NOT_UTF8 = { reason: "it is not UTF-8" };

function decoded(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** Reads a file line by line, each one a value; empty lines are passed over. `onBytes` is told of every line's length. */
export function* readJsonLines(
  path: string,
  onBytes: (bytes: number) => void = () => {},
): Generator<{ where: string; value: Json } | Rejected> {
  let endByte = 0;
  for (const { number, bytes, startByte } of readLines(path)) {
    const where = `${path}:${number}`;
    onBytes(startByte - endByte);
    endByte = startByte;
    if (bytes === null) yield rejected(where, `the line has more than ${MOST_DOCUMENT_BYTES} bytes`);
    else if (bytes.some(isNoSpace)) {
      const read = parseBytes(bytes);
      yield "value" in read ? { where, value: read.value } : rejected(where, read.reason);
    }
  }
}

/** What reading may leave until it is collected: the text of a long document, and what was made of it. */
export const MOST_GARBAGE_BYTES = 48e6;

/** Reads a whole file as one value. */
export function readDocument(path: string): Read {
  const { size } = statSync(path);
  if (size > MOST_DOCUMENT_BYTES) return { reason: tooLong(size) };
  // The bytes are not held while their text is parsed: a long document is large enough once.
  const text = decoded(readFileSync(path));
  return text === null ? NOT_UTF8 : parseJson(text);
}

/** The first bytes of a file. */
export function readHead(path: string, mostBytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(mostBytes);
    return bytes.subarray(0, readSync(file, bytes, 0, mostBytes, 0));
  } finally {
    closeSync(file);
  }
}

/** Builds the record of what could not be used: its place and why. */
export function rejected(where: string, reason: string): Rejected {
  return { kind: "rejected", where, reason };
}

/** Says which entries of a list are no objects. */
export function* misfits(list: unknown, where: string): Generator<Rejected> {
  if (list !== undefined && list !== null && !Array.isArray(list)) yield rejected(where, "it is no list");
  for (const [i, entry] of (Array.isArray(list) ? list : []).entries()) {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
      yield rejected(`${where}/${i}`, "it is no object");
    }
  }
}

/** Why a parsed value cannot be recorded; null where it can. */
function faultOf(value: Json, depth: number): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : "a text holds half of a surrogate pair";
  if (typeof value === "number") return Number.isFinite(value) ? null : "a number is out of range";
  if (typeof value !== "object" || value === null) return null;
  if (depth === 0) return `it is nested more than ${MOST_DEPTH} deep`;
  if (Array.isArray(value)) {
    for (const entry of value) {
      const fault = faultOf(entry, depth - 1);
      if (fault !== null) return fault;
    }
    return null;
  }
  for (const key in value) {
    if (!key.isWellFormed()) return "a key holds half of a surrogate pair";
    const fault = faultOf(value[key] as Json, depth - 1);
    if (fault !== null) return fault;
  }
  return null;
}

function isNoSpace(byte: number): boolean {
  return byte > 32;
}

function tooLong(sizeBytes: number): string {
  return `it has ${sizeBytes} bytes, more than ${MOST_DOCUMENT_BYTES}`;
}
