/**
 * Reads Parquet row by row, in memory that neither a file's length nor the size of its row groups makes grow. DuckDB reads
 * 2048 rows of a group at once, and holds several such batches: long rows are therefore asked for a few at a time, from a
 * copy in groups of that size where the file has larger ones, or each question would read a whole group.
 */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../foundation/canonical-json.ts";
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
    const layout = await layoutOf(database, file);
    const bytesARow = statSync(file).size / Math.max(1, layout.rows);
    let number = 0;
    for await (const rows of batchesOf(database, { file, copy, columns, layout })) {
      for (const row of rows) yield lineOf(row, columns.asJson, `${file}:${++number}`);
      onRead(rows.length * bytesARow);
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
  hasRowNumber: boolean;
}

async function columnsOf(database: Database, file: string): Promise<Columns> {
  const described = await rowsOf(database.stream(`DESCRIBE SELECT * FROM read_parquet(${sqlText(file)})`));
  const asJson = described
    .filter(({ column_type }) => ONLY_AS_JSON.test(String(column_type)))
    .map(({ column_name }) => String(column_name));
  const quoted = asJson.map((name) => `"${name.replaceAll('"', '""')}"`);
  const replaced = quoted.map((name) => `to_json(${name}) AS ${name}`);
  return {
    selected: replaced.length === 0 ? "*" : `* REPLACE (${replaced.join(", ")})`,
    asJson,
    hasRowNumber: described.some(({ column_name }) => String(column_name).toLowerCase() === ROW_NUMBER),
  };
}

interface Layout {
  rows: number;
  mostRowsAGroup: number;
  /** Of the group whose rows are longest: the bytes of one, not compressed. */
  bytesARow: number;
}

async function layoutOf(database: Database, file: string): Promise<Layout> {
  const groups = `SELECT any_value(row_group_num_rows) AS rows, sum(total_uncompressed_size) AS bytes
    FROM parquet_metadata(${sqlText(file)}) GROUP BY row_group_id`;
  const [layout = {}] = await rowsOf(
    database.stream(`SELECT coalesce(sum(rows), 0)::BIGINT AS rows, coalesce(max(rows), 0) AS most_rows,
      coalesce(max(bytes / greatest(rows, 1)), 0) AS bytes_a_row FROM (${groups})`),
  );
  return {
    rows: Number(layout.rows),
    mostRowsAGroup: Number(layout.most_rows),
    bytesARow: Number(layout.bytes_a_row),
  };
}

interface Source {
  file: string;
  /** Where a copy in small row groups may lie. */
  copy: string;
  columns: Columns;
  layout: Layout;
}

async function* batchesOf(database: Database, { file, copy, columns, layout }: Source): AsyncGenerator<Row[]> {
  const { rows, mostRowsAGroup, bytesARow } = layout;
  const atATime = Math.max(1, Math.floor(BYTES_AT_A_TIME / Math.max(1, bytesARow)));
  if (atATime >= Math.min(VECTOR_ROWS, mostRowsAGroup) || columns.hasRowNumber) {
    const all = await database.stream(`SELECT ${columns.selected} FROM read_parquet(${sqlText(file)})`);
    return yield* all.batches;
  }
  const isInSmallGroups = mostRowsAGroup <= VECTOR_ROWS;
  if (!isInSmallGroups) {
    const all = `SELECT * FROM read_parquet(${sqlText(file)})`;
    await database.run(
      `COPY (${all}) TO ${sqlText(copy)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${VECTOR_ROWS})`,
    );
  }
  const source = `read_parquet(${sqlText(isInSmallGroups ? file : copy)}, ${ROW_NUMBER} = true)`;
  const selected = columns.selected.replace("*", `* EXCLUDE (${ROW_NUMBER})`);
  for (let first = 0; first < rows; first += atATime) {
    const isAsked = `${ROW_NUMBER} BETWEEN ${first} AND ${first + atATime - 1}`;
    const some = await database.stream(`SELECT ${selected} FROM ${source} WHERE ${isAsked}`);
    let count = 0;
    for await (const batch of some.batches) {
      count += batch.length;
      yield batch;
    }
    if (count === 0) throw new Error(`of the ${rows} rows that it says to have there are ${first}`);
  }
}

function lineOf(row: Row, asJson: readonly string[], where: string): JsonLine | Rejected {
  const value: Record<string, Json> = { ...row };
  for (const name of asJson) {
    const text = value[name];
    if (typeof text !== "string") continue;
    const read = parseJson(text);
    if ("reason" in read) return rejected(where, read.reason);
    value[name] = read.value as Json;
  }
  return { where, value };
}

function faultOf(error: unknown): string {
  if (isOutOfMemory(error)) {
    return `${VECTOR_ROWS} of its rows take more than ${MEMORY_MB} MB: write it in row groups of fewer rows, or as JSON lines`;
  }
  return `it cannot be read as Parquet: ${(error as Error).message.split("\n", 1)[0]}`;
}
