/**
 * Rows that a file has to begin with so that it can be loaded alone: Hugging Face infers a column's type from the first
 * 10 MB, and takes messages for JSON, whatever their keys are, only where it sees two there that have different ones.
 * Looks at the names of keys as they are written, and not at where they stand: two rows with the same names elsewhere
 * pass for alike. Source: Hugging Face datasets, packaged_modules/json (4.7), seen with its loader.
 */
import { readLines } from "../foundation/jsonl.ts";
import type { ColumnShape } from "./columns.ts";

/** Half of what the loader reads, as a line that lies across its end may not count. */
const SEEN_BYTES = 5_000_000;
/** A quote within a text is written with a backslash, so that what this finds is a key. */
const KEY = /"([^"\\]+)":/g;

/**
 * Returns the numbers, from 1, of those lines that have to stand at the file's beginning and do not: for each column of
 * JSON the first line with other keys than the first one. Stops reading where there is no more to find.
 */
export function telltaleRows(path: string, columns: readonly ColumnShape[]): number[] {
  const searched = new Map(columns.flatMap(({ name, type }) => (type === "jsons" ? [[name, ""]] : [])));
  const late = new Set<number>();
  for (const { number, startByte, bytes } of readLines(path)) {
    if (searched.size === 0) break;
    if (bytes === null) return []; // longer than any line that is read whole
    const text = bytes.toString();
    for (const [name, first] of searched) {
      const keys = keysIn(text, name, columns);
      if (number === 1) searched.set(name, keys);
      else if (keys !== first) {
        searched.delete(name);
        if (startByte > SEEN_BYTES) late.add(number);
      }
    }
  }
  return [...late];
}

/** The names of a column's keys, each once and in order; a column ends where the next one begins. */
function keysIn(line: string, name: string, columns: readonly ColumnShape[]): string {
  const next = columns[columns.findIndex((column) => column.name === name) + 1]?.name;
  const start = line.indexOf(`"${name}":`) + name.length + 3;
  const end = next === undefined ? line.length : line.indexOf(`,"${next}":`, start);
  const keys = new Set(Array.from(line.slice(start, end).matchAll(KEY), ([, key]) => key));
  return [...keys].sort().join(" ");
}
