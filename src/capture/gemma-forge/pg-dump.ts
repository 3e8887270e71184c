/**
 * Rows of a plain `pg_dump`: a `COPY` line with the columns, a line a row with tabs between its values, and `\.` at the end.
 * What else a dump holds is passed over. Source: PostgreSQL's documentation of COPY, its text format.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { readLines, readLinesBetween } from "../../foundation/jsonl.ts";
import type { Rejected } from "../foreign.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { EVENTS, type StoreEvents, type StoreRow, TABLES } from "./memory-store.ts";

const COPY = /^COPY "?\w+"?\."?(\w+)"? \(([^)]*)\) FROM stdin;\s*$/;
const INSERT = /^INSERT INTO "?\w+"?\."?(\w+)"? /;
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
const INSERTED = "it is an INSERT, and rows are read of COPY alone: run pg_dump without --inserts";
/** Columns that hold a list, and those that hold JSON. */
const LISTS = new Set(["trigger_conditions", "application_context"]);
const DOCUMENTS = new Set(["config", "summary", "data"]);
const NUMBERS = /^(id|tip_id|attempt_num|attempts|elapsed_s|rank|.*_score|.*_value|.*_confidence|wall_time_s)$/;

/** Yields the rows of the tables that are held, and of the events where those of each run lie. */
export function* dumpRows(path: string): Generator<StoreRow | StoreEvents | Rejected> {
  let copied = null as Copied | null;
  let events = null as EventSpan | null;
  for (const line of readLines(path)) {
    const where = `${path}:${line.number}`;
    const text = line.bytes === null ? null : textOf(line.bytes);
    if (copied === null) {
      copied = copiedBy(text ?? "");
      if (isHeld(INSERT.exec(text ?? "")?.[1])) yield rejected(where, INSERTED);
    } else if (text === "\\.") {
      if (events !== null) yield eventsIn(path, events);
      copied = events = null;
    } else {
      const row = valuesOf(line.bytes, text, { where, copied });
      if ("kind" in row) yield row;
      else if (copied.table !== EVENTS) yield* rowOf(row);
      else {
        const run = unescaped(row.values[copied.columns.indexOf("run_id")] ?? "\\N");
        if (events !== null && events.run !== run) yield eventsIn(path, events);
        if (run === null) yield rejected(where, "it names no run");
        if (run === null || events?.run !== run) {
          events =
            run === null ? null : { run, copied, number: line.number, startByte: line.startByte, count: 0, endByte: 0 };
        }
        if (events !== null) {
          events.count++;
          events.endByte = line.startByte + (line.bytes?.length ?? 0);
        }
      }
    }
  }
  if (events !== null) yield eventsIn(path, events);
}

interface Copied {
  table: string;
  columns: string[];
}

/** Rows of one run one after another: where they begin, and the byte behind the last one. */
interface EventSpan {
  run: string;
  copied: Copied;
  count: number;
  number: number;
  startByte: number;
  endByte: number;
}

function copiedBy(line: string): Copied | null {
  const [, table, names] = COPY.exec(line) ?? [];
  if (!isHeld(table)) return null;
  return { table, columns: (names ?? "").split(", ").map((column) => column.replaceAll('"', "")) };
}

function isHeld(table: string | undefined): table is string {
  return table !== undefined && (table in TABLES || table === EVENTS);
}

function eventsIn(path: string, { run, copied, count, number, startByte, endByte }: EventSpan): StoreEvents {
  return {
    ...{ where: `${path}:${number}`, run, count },
    *read() {
      for (const line of readLinesBetween(path, startByte, endByte)) {
        const where = `${path}:${number + line.number - 1}`;
        const row = valuesOf(line.bytes, line.bytes === null ? null : textOf(line.bytes), { where, copied });
        // What has no values was said when the file was read first.
        if (!("kind" in row)) yield* rowOf(row);
      }
    },
  };
}

interface RowValues extends Copied {
  where: string;
  values: string[];
}

function valuesOf(
  bytes: Uint8Array | null,
  text: string | null,
  { where, copied }: { where: string; copied: Copied },
): RowValues | Rejected {
  if (bytes === null) return rejected(where, "the row is longer than a line may be");
  if (text === null) return rejected(where, "it is not UTF-8");
  const values = text.split("\t");
  if (values.length === copied.columns.length) return { where, ...copied, values };
  return rejected(where, `a row of ${copied.table} has ${values.length} values`);
}

/** Without the end of a line as Windows has it: such a character within a value is written as `\r`. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes).replace(/\r$/, "");
  } catch {
    return null;
  }
}

/** A document that is none is said, and the row goes on without it; an event is nothing without its own. */
function* rowOf({ where, table, columns, values }: RowValues): Generator<StoreRow | Rejected> {
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
