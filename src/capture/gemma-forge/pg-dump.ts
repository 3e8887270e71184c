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
const UTF8 = new TextDecoder("utf-8", { fatal: true });
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
    const line = bytes === null ? null : textOf(bytes);
    if (table === null) {
      const [, name, names] = COPY.exec(line ?? "") ?? [];
      if (name !== undefined && name in TABLES) {
        table = name;
        columns = (names ?? "").split(", ").map((column) => column.replaceAll('"', ""));
      }
    } else if (line === "\\.") table = null;
    else if (bytes === null) yield rejected(where, "the row is longer than a line may be");
    else if (line === null) yield rejected(where, "it is not UTF-8");
    else {
      const values = line.split("\t");
      if (values.length !== columns.length) yield rejected(where, `a row of ${table} has ${values.length} values`);
      else yield* rowOf({ where, table, columns, values });
    }
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** A document that is none is said, and the row goes on without it; an event is nothing without its own. */
function* rowOf(given: {
  where: string;
  table: string;
  columns: readonly string[];
  values: readonly string[];
}): Generator<StoreRow | Rejected> {
  const { where, table, columns, values } = given;
  const row: Record<string, Json> = {};
  for (const [i, column] of columns.entries()) {
    const text = unescaped(values[i] as string);
    const read = text !== null && DOCUMENTS.has(column) ? parseJson(text) : null;
    if (read !== null && "reason" in read) {
      yield rejected(where, `its \`${column}\` cannot be used: ${read.reason}`);
      if (column === "data") return;
    } else row[column] = text === null || read === null ? parsedValue(column, text) : read.value;
  }
  yield { where, table, row };
}

function unescaped(text: string): string | null {
  if (text === "\\N") return null;
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
}

function parsedValue(column: string, value: string | null): Json {
  if (value === null) return null;
  if (LISTS.has(column)) return listOf(value);
  return NUMBERS.test(column) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** A list of texts as PostgreSQL writes it: `{plain,"with, a comma"}`. */
function listOf(text: string): string[] {
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)].map(
    ([, quoted, plain]) => quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain ?? "",
  );
}
