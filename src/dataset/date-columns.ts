/**
 * Columns of text that a reader of JSON takes for dates: Arrow, with which Hugging Face loads JSON, makes a time of every value
 * where all of a piece read as one, and a text of that again where the card asks for one, so that `2024-05-14` comes back as
 * `2024-05-14 00:00:00`. As JSON such a column stays what it is. Source: Arrow's JSON reader; Hugging Face datasets,
 * packaged_modules/json (4.7, 5.2), seen with its loader.
 */
import { readLines } from "../foundation/jsonl.ts";
import type { ColumnShape } from "./columns.ts";

const DATE = /^\d{4}-\d{2}-\d{2}([ T]\d{2}(:?\d{2}(:?\d{2}(\.\d+)?)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?$/;

/** Returns the columns of text in a file of rows whose values all read as dates; reads no further than it has to. */
export function dateColumns(path: string, columns: readonly ColumnShape[]): string[] {
  const ofText = columns.filter(({ type }) => type === "text");
  return columnsWhere(path, ofText, (value) => DATE.test(String(value)));
}

/**
 * The same of a file that is read alone, without a card: there a column of messages is a table, too, where all of them have a role
 * and a content and nothing else.
 */
export function dateColumnsAlone(path: string, columns: readonly ColumnShape[]): string[] {
  const ofText = columns.filter(({ type }) => type === "text" || type === "jsons");
  return columnsWhere(path, ofText, (value) => {
    if (!Array.isArray(value)) return DATE.test(String(value));
    return value.every(({ role, content, ...others }) => {
      return role !== undefined && DATE.test(String(content)) && Object.keys(others).length === 0;
    });
  });
}

function columnsWhere(path: string, columns: readonly ColumnShape[], isDate: (value: unknown) => boolean): string[] {
  const possible = new Set(columns.map(({ name }) => name));
  let rows = 0;
  for (const { bytes } of readLines(path)) {
    if (possible.size === 0) break;
    if (bytes === null) return []; // longer than any line that is read whole
    rows += 1;
    const row = JSON.parse(bytes.toString()) as Record<string, unknown>;
    for (const name of possible) if (!isDate(row[name])) possible.delete(name);
  }
  return rows === 0 ? [] : [...possible];
}
