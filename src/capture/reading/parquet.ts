/**
 * Reads Parquet row by row, in memory that neither a file's length nor the size of its row groups makes grow. DuckDB reads
 * 2048 rows of a group at once, and holds several such batches: long rows are therefore asked for a few at a time, from a
 * copy in groups of that size where the file has larger ones, or each question would read a whole group.
 */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
import { sumOf } from "../../foundation/sums.ts";
import { type Database, isOutOfMemory, openDatabase, type Row, rowsOf, sqlText } from "../../store/duckdb.ts";
import type { Rejected } from "../foreign.ts";
import type { JsonLine } from "../importer.ts";
import { parseJson, rejected } from "./json.ts";

export interface ParquetPlaces {
  file: string;
  /** An existing folder for a copy of the file, which is removed again. */
  scratch: string;
}

const MEMORY_MB = 384;
/** Of a row group DuckDB reads so many rows at once, or all of a smaller one. */
const VECTOR_ROWS = 2048;
const BYTES_AT_A_TIME = 1e6;
/** Otherwise DuckDB gives memory back to the system by the 128 MB. */
const FREED_AT_ONCE = ["allocator_flush_threshold", "allocator_bulk_deallocation_flush_threshold"];
const ROW_NUMBER = "file_row_number";
/** Types whose values as JSON are others than those that they are read as. */
const ONLY_AS_JSON = /\b(?:JSON|MAP|UNION|VARIANT)\b/;
/** Types that have a null only where one was written. */
const OWN_NULLS = /\b(?:JSON|VARIANT)\b/;

/**
 * Yields each row as an object, its place the file and its number from 1; what cannot be read as `rejected`, after the rows
 * before it.
 * Shapes: `onRead` gets the bytes that came since its last call.
 */
export async function* parquetRows(
  { file, scratch }: ParquetPlaces,
  onRead: (bytes: number) => void,
): AsyncGenerator<JsonLine | Rejected> {
  const database = await openDatabase({ memoryLimitMb: MEMORY_MB, threads: 1, spillFolder: "" });
  const copy = join(scratch, "regrouped.parquet");
  try {
    for (const setting of FREED_AT_ONCE) await database.run(`SET ${setting} = '1MB'`);
    const columns = await columnsOf(database, file);
    const groups = await groupsIn(database, file);
    const bytesARow = statSync(file).size / Math.max(1, sumOf(groups.map(({ rows }) => rows)));
    let number = 0;
    let told = 0;
    for await (const rows of batchesOf(database, { file, copy, columns, groups })) {
      for (const row of rows) yield lineOf(row, columns, `${file}:${++number}`);
      const read = Math.round(number * bytesARow);
      onRead(read - told);
      told = read;
    }
  } catch (error) {
    yield rejected(file, faultOf(error));
  } finally {
    database.close();
    rmSync(copy, { force: true });
  }
}

interface Columns {
  /** What to select, as SQL. */
  selected: string;
  /** Those that come as JSON's text. */
  asJson: string[];
  /** Those whose nulls were written. */
  withOwnNulls: Set<string>;
  hasRowNumber: boolean;
}

async function columnsOf(database: Database, file: string): Promise<Columns> {
  const described = await rowsOf(database.stream(`DESCRIBE SELECT * FROM read_parquet(${sqlText(file)})`));
  const namesOf = (types: RegExp) =>
    described
      .filter(({ column_type }) => types.test(String(column_type)))
      .map(({ column_name }) => String(column_name));
  const asJson = namesOf(ONLY_AS_JSON);
  const quoted = asJson.map((name) => `"${name.replaceAll('"', '""')}"`);
  const replaced = quoted.map((name) => `to_json(${name}) AS ${name}`);
  return {
    selected: replaced.length === 0 ? "*" : `* REPLACE (${replaced.join(", ")})`,
    asJson,
    withOwnNulls: new Set(namesOf(OWN_NULLS)),
    hasRowNumber: described.some(({ column_name }) => String(column_name).toLowerCase() === ROW_NUMBER),
  };
}

interface RowGroup {
  rows: number;
  /** So many of its rows may be asked for at once, or all of them. */
  atATime: number;
}

async function groupsIn(database: Database, file: string): Promise<RowGroup[]> {
  const groups = await rowsOf(
    database.stream(`SELECT any_value(row_group_num_rows)::BIGINT AS rows, sum(total_uncompressed_size)::BIGINT AS bytes
      FROM parquet_metadata(${sqlText(file)}) GROUP BY row_group_id ORDER BY row_group_id`),
  );
  return groups.map(({ rows, bytes }) => {
    const bytesARow = Math.max(1, Number(bytes) / Math.max(1, Number(rows)));
    return { rows: Number(rows), atATime: Math.max(1, Math.floor(BYTES_AT_A_TIME / bytesARow)) };
  });
}

interface Source {
  file: string;
  /** Where a copy in small row groups may lie. */
  copy: string;
  columns: Columns;
  groups: readonly RowGroup[];
}

async function* batchesOf(database: Database, { file, copy, columns, groups }: Source): AsyncGenerator<Row[]> {
  const long = groups.filter(({ rows, atATime }) => atATime < Math.min(VECTOR_ROWS, rows));
  if (long.length === 0 || columns.hasRowNumber) {
    const all = await database.stream(`SELECT ${columns.selected} FROM read_parquet(${sqlText(file)})`);
    return yield* all.batches;
  }
  const isInSmallGroups = long.every(({ rows }) => rows <= VECTOR_ROWS);
  if (!isInSmallGroups) {
    const all = `SELECT * FROM read_parquet(${sqlText(file)})`;
    await database.run(
      `COPY (${all}) TO ${sqlText(copy)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${VECTOR_ROWS})`,
    );
  }
  const source = `read_parquet(${sqlText(isInSmallGroups ? file : copy)}, ${ROW_NUMBER} = true)`;
  const selected = columns.selected.replace("*", `* EXCLUDE (${ROW_NUMBER})`);
  for (const { first, rows } of questionsOf(isInSmallGroups ? groups : await groupsIn(database, copy))) {
    const isAsked = `${ROW_NUMBER} BETWEEN ${first} AND ${first + rows - 1}`;
    const some = await database.stream(`SELECT ${selected} FROM ${source} WHERE ${isAsked}`);
    let count = 0;
    for await (const batch of some.batches) {
      count += batch.length;
      yield batch;
    }
    if (count < rows) throw new Error(`of the ${rows} rows from ${first + 1} on there are ${count}`);
  }
}

interface Question {
  first: number;
  rows: number;
}

/** Of a group with long rows some at a time; groups with short ones that follow each other at once. */
function* questionsOf(groups: readonly RowGroup[]): Generator<Question> {
  let next: Question = { first: 0, rows: 0 };
  for (const { rows, atATime } of groups) {
    if (atATime >= Math.min(VECTOR_ROWS, rows)) {
      next.rows += rows;
      continue;
    }
    if (next.rows > 0) yield next;
    const first = next.first + next.rows;
    for (let done = 0; done < rows; done += atATime) {
      yield { first: first + done, rows: Math.min(atATime, rows - done) };
    }
    next = { first: first + rows, rows: 0 };
  }
  if (next.rows > 0) yield next;
}

function lineOf(row: Row, { asJson, withOwnNulls }: Columns, where: string): JsonLine | Rejected {
  const value: Record<string, Json> = { ...row };
  for (const name of asJson) {
    const text = value[name];
    if (typeof text !== "string") continue;
    const read = parseJson(text);
    if ("reason" in read) return rejected(where, read.reason);
    value[name] = read.value as Json;
  }
  for (const name of Object.keys(value)) {
    if (!withOwnNulls.has(name)) value[name] = withoutUnusedFields(value[name] as Json);
  }
  return { where, value };
}

/**
 * A record in a column has all the fields that any has: what lies in it (a call's arguments, a part of a text) is without
 * those that are of others alone. Its own nulls stay, as a message's `content` does.
 */
function withoutUnusedFields(value: Json, isInRecord = false): Json {
  if (Array.isArray(value)) return value.map((one) => withoutUnusedFields(one, isInRecord));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => !isInRecord || field !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutUnusedFields(field, true)]));
}

function faultOf(error: unknown): string {
  if (isOutOfMemory(error)) {
    return `${VECTOR_ROWS} of its rows take more than ${MEMORY_MB} MB: write it in row groups of fewer rows, or as JSON lines`;
  }
  return `it cannot be read as Parquet: ${(error as Error).message.split("\n", 1)[0]}`;
}
