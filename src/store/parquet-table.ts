/**
 * A Parquet file, written by DuckDB from JSON lines. One thread and one order, so that the same rows give the same bytes.
 * The lines lie in small files and the rows in small groups, as DuckDB holds many times what it reads of one file, and a
 * whole group, in memory.
 */
import { rm, writeFile } from "node:fs/promises";
import { Refusal } from "../foundation/errors.ts";
import { isOutOfMemory, openDatabase, sqlText } from "./duckdb.ts";

const MEMORY_LIMIT_MB = 256;
const PIECE_CHARACTERS = 1 << 20;
const GROUP_ROWS = 2048;
const GROUP_WEIGHT = 1 << 20;
/** DuckDB's own limit of one line, and how many times a longer one it holds in memory. */
const LINE_BYTES = 16 << 20;
const LINE_COPIES = 8;

export interface ParquetShape {
  /** Names with DuckDB's types, in the file's order. */
  columns: readonly (readonly [name: string, type: string])[];
  /** Texts for the file's own key-value metadata. */
  metadata?: Readonly<Record<string, string>>;
}

export interface ParquetTable {
  /** Units: row groups are cut so that the weights of their rows sum to about a million. */
  add(line: string, weight: number): Promise<void>;
  /** Writes the Parquet file, and removes what it was made from. */
  finish(): Promise<void>;
}

/** Starts a Parquet file at `target`; what is kept beside it until it is finished has names that begin with its own. */
export function createParquetTable(target: string, shape: ParquetShape): ParquetTable {
  const pieces: string[] = [];
  let lines: string[] = [];
  let characters = 0;
  let rows = 0;
  let weights = 0;
  let longestBytes = 0;

  async function flush() {
    if (lines.length === 0) return;
    const piece = `${target}.rows-${pieces.length}.jsonl`;
    await writeFile(piece, lines.join(""));
    pieces.push(piece);
    lines = [];
    characters = 0;
  }

  return {
    async add(line, weight) {
      lines.push(`${line}\n`);
      characters += line.length;
      rows += 1;
      weights += weight;
      if (line.length * 3 > longestBytes) longestBytes = Math.max(longestBytes, Buffer.byteLength(line));
      if (characters >= PIECE_CHARACTERS) await flush();
    },
    async finish() {
      await flush();
      const groupRows = Math.max(1, Math.min(GROUP_ROWS, Math.floor((GROUP_WEIGHT * rows) / Math.max(1, weights))));
      await writeParquet(target, { shape, pieces, groupRows, longestBytes });
      for (const piece of pieces) await rm(piece);
    },
  };
}

interface Content {
  shape: ParquetShape;
  pieces: readonly string[];
  groupRows: number;
  longestBytes: number;
}

async function writeParquet(target: string, { shape, pieces, groupRows, longestBytes }: Content): Promise<void> {
  const lineBytes = Math.max(LINE_BYTES, longestBytes + 2);
  const memoryLimitMb = Math.max(MEMORY_LIMIT_MB, Math.ceil((LINE_COPIES * lineBytes) / 2 ** 20));
  const database = await openDatabase({ memoryLimitMb, threads: 1, spillFolder: `${target}.spill` });
  const metadata = Object.entries(shape.metadata ?? {}).map(([key, text]) => `${key}: ${sqlText(text)}`);
  try {
    await database.run(
      `COPY (${pieces.length === 0 ? noRows(shape) : rowsOf(shape, pieces, lineBytes)}) TO ${sqlText(target)}
       (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows}${metadata.length > 0 ? `, KV_METADATA {${metadata.join(", ")}}` : ""})`,
    );
  } catch (error) {
    throw isOutOfMemory(error) ? rowTooLarge(longestBytes, error) : error;
  } finally {
    database.close();
  }
}

function rowTooLarge(longestBytes: number, cause: unknown): Refusal {
  return new Refusal({
    code: "ROW_TOO_LARGE",
    message: "A row is too long to be written as Parquet in little memory.",
    expected: "rows of some megabytes",
    got: `a row of ${Math.round(longestBytes / 1e6)} MB`,
    fix: "--format jsonl, or leave it out: --max-tokens with a base",
    cause,
  });
}

function rowsOf({ columns }: ParquetShape, pieces: readonly string[], lineBytes: number): string {
  const types = columns.map(([name, type]) => `${name}: ${sqlText(type)}`);
  return `SELECT * FROM read_json([${pieces.map(sqlText).join(", ")}], format = 'newline_delimited',
    columns = {${types.join(", ")}}, maximum_object_size = ${lineBytes})`;
}

function noRows({ columns }: ParquetShape): string {
  return `SELECT ${columns.map(([name, type]) => `NULL::${type} AS ${name}`).join(", ")} WHERE false`;
}
