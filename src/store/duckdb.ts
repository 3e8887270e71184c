/**
 * DuckDB in process, for the store: opening it within limits, and rows as plain values. The one file of the store that
 * imports DuckDB, and only when a database is opened. Does not know the lake.
 */
import type { DuckDBConnection, Json as DuckDBJson, DuckDBResult, DuckDBValueConverter } from "@duckdb/node-api";
import type { Json } from "../foundation/canonical-json.ts";

export type Row = Record<string, Json>;
export type Parameters = Record<string, string | number | boolean | null>;

/** What a query gives: the names of its columns, each once, and its rows in batches. */
export interface RowStream {
  columns: string[];
  batches: AsyncIterable<Row[]>;
}

export interface Database {
  /** Runs statements for their effect. */
  run(sql: string): Promise<void>;
  /**
   * Starts a query whose rows are read in constant memory; several may be open at once.
   * Whole numbers, decimals and timestamps come as numbers and ISO 8601 texts, columns of type JSON as their text;
   * a whole number beyond 2^53 comes as text.
   */
  stream(sql: string, parameters?: Parameters): Promise<RowStream>;
  /** Ends the running queries with an error. */
  interrupt(): void;
  close(): void;
}

export interface DatabaseSettings {
  memoryLimitMb: number;
  threads: number;
  /** Where DuckDB puts what does not fit into memory. */
  spillFolder: string;
}

/** Opens a new database in memory, which never loads an extension from elsewhere. */
export async function openDatabase({ memoryLimitMb, threads, spillFolder }: DatabaseSettings): Promise<Database> {
  const duckdb = await import("@duckdb/node-api");
  const instance = await duckdb.DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryLimitMb}MB`,
    threads: String(threads),
    temp_directory: spillFolder,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const main = await instance.connect();
  const open = new Set<DuckDBConnection>([main]);
  const convert = converterOf(duckdb);

  return {
    async run(sql) {
      await main.run(sql);
    },
    async stream(sql, parameters) {
      const connection = await instance.connect(); // a connection has one open result at a time
      open.add(connection);
      const end = () => {
        open.delete(connection);
        connection.closeSync();
      };
      try {
        const result = await connection.stream(sql, parameters);
        return {
          columns: result.deduplicatedColumnNames(),
          batches: batchesOf(result, convert, end),
        };
      } catch (error) {
        end();
        throw error;
      }
    },
    interrupt() {
      for (const connection of open) connection.interrupt();
    },
    close() {
      for (const connection of open) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Rows are made a few at a time: those of a whole chunk would outlive the young generation while they are read. */
const BATCH_ROWS = 128;

/** Reads all rows of a stream. */
export async function rowsOf(stream: Promise<RowStream>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of (await stream).batches) rows.push(...batch);
  return rows;
}

/** Whether an error says that a query needs more memory than it may have. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Out of Memory Error");
}

/** Writes a text as an SQL literal. DuckDB takes a NUL for the end of a query, so none stands in it. */
export function sqlText(text: string): string {
  const parts = text.split("\0").map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" || chr(0) || ")})`;
}

async function* batchesOf(
  result: DuckDBResult,
  convert: DuckDBValueConverter<DuckDBJson>,
  end: () => void,
): AsyncGenerator<Row[]> {
  const columns = result.deduplicatedColumnNames();
  try {
    for await (const chunk of result) {
      for (let first = 0; first < chunk.rowCount; first += BATCH_ROWS) {
        yield Array.from({ length: Math.min(BATCH_ROWS, chunk.rowCount - first) }, (_, i) => {
          const row = chunk.convertRowValues(first + i, convert);
          return Object.fromEntries(columns.map((name, column) => [name, row[column] ?? null]));
        });
      }
      chunk.reset(); // the garbage collector does not see this memory, and would let it pile up
    }
  } finally {
    end();
  }
}

function converterOf(duckdb: typeof import("@duckdb/node-api")): DuckDBValueConverter<DuckDBJson> {
  const { DuckDBTypeId: id, JsonDuckDBValueConverter: json } = duckdb;
  const wholeNumbers = new Set([id.BIGINT, id.UBIGINT, id.HUGEINT, id.UHUGEINT]);
  const timestamps = new Set([id.TIMESTAMP, id.TIMESTAMP_MS, id.TIMESTAMP_S]);
  return (value, type, self) => {
    if (value === null || value === undefined) return null;
    if (wholeNumbers.has(type.typeId)) {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    if (type.typeId === id.DECIMAL) return duckdb.doubleFromDecimalValue(value);
    if (timestamps.has(type.typeId)) return `${String(value).replace(" ", "T")}Z`;
    return json(value, type, self);
  };
}
