/**
 * Rows of a plain `pg_dump`: a `COPY` line with the columns, a line a row with tabs between its values, and `\.` at the end.
 * What else a dump holds is passed over. Source: PostgreSQL's documentation of COPY, its text format.
 */

import type { Json } from "../../foundation/canonical-json.ts";
import { readLines } from "../../foundation/jsonl.ts";
import type { Rejected } from "../foreign.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { type StoreRow, TABLES } from "./memory-store.ts";

const COPY = /^COPY "?\w+"?\."?(\w+)"? \(([^)]*)\) FROM stdin;\s*$/;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
/** Columns that hold a list, and those that hold JSON. */
const LISTS = new Set(["trigger_conditions", "application_context"]);
const DOCUMENTS = new Set(["config", "summary", "data"]);
const NUMBERS = /^(id|tip_id|attempt_num|attempts|elapsed_s|rank|.*_score|.*_value|.*_confidence|wall_time_s)$/;

export function* dumpRows(path: string): Generator<StoreRow | Rejected> {
  let table: string | null = null;
  let columns: string[] = [];
  for (const { number, bytes } of readLines(path)) {
    const where = `${path}:${number}`;
    const line = bytes === null ? null : bytes.toString("utf8");
    if (table === null) {
      const [, name, names] = COPY.exec(line ?? "") ?? [];
      if (name !== undefined && name in TABLES) {
        table = name;
        columns = (names ?? "").split(", ").map((column) => column.replaceAll('"', ""));
      }
    } else if (line === "\\.") table = null;
    else if (line === null) yield rejected(where, "the row is longer than a line may be");
    else {
      const values = line.split("\t");
      if (values.length !== columns.length) yield rejected(where, `a row of ${table} has ${values.length} values`);
      else yield { where, table, row: rowOf(columns, values) };
    }
  }
}

function rowOf(columns: readonly string[], values: readonly string[]): Record<string, Json> {
  return Object.fromEntries(columns.map((column, i) => [column, parsedValue(column, values[i] as string)]));
}

function parsedValue(column: string, text: string): Json {
  if (text === "\\N") return null;
  const value = text.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
  if (LISTS.has(column)) return listOf(value);
  if (DOCUMENTS.has(column)) {
    const read = parseJson(value);
    return "value" in read ? read.value : null;
  }
  return NUMBERS.test(column) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** A list of texts as PostgreSQL writes it: `{plain,"with, a comma"}`. */
function listOf(text: string): string[] {
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)].map(
    ([, quoted, plain]) => quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain ?? "",
  );
}
