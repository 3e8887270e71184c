/**
 * The in-memory DuckDB that queries run on. The only file of the skill that knows DuckDB's interface.
 * Once closed off it reaches no file, no network and no extension, and no setting can be changed any more.
 */
import {
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  type DuckDBValue,
} from "@duckdb/node-api";
import type { Row, Value } from "./result-sets.ts";

export interface Result {
  columns: string[];
  rows: Row[];
  /** Whether there are more rows than were read. */
  isCut: boolean;
}

export interface Database {
  /** Runs statements that the caller wrote; never a model's. */
  run(sql: string): Promise<void>;
  /** DuckDB's syntax tree of a query, as JSON text. */
  syntaxTree(query: string): Promise<string>;
  /**
   * Runs one query and reads at most `rowLimit` rows.
   * Throws: `TimeLimit` where it runs longer than `limitMs`; DuckDB's own error otherwise.
   */
  query(sql: string, limits: { limitMs: number; rowLimit: number }): Promise<Result>;
  /** Cuts off files, network and extensions, and locks the configuration, for good. */
  closeOff(): Promise<void>;
  close(): void;
}

/** A query ran longer than it may. */
export class TimeLimit extends Error {}

/** Opens an empty database, which is not closed off yet. */
export async function openDatabase(options: { memoryLimitMb: number }): Promise<Database> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: `${options.memoryLimitMb}MB`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run("SET temp_directory = ''");
  const flags = "skip_null := true, skip_empty := true, skip_default := true";
  const serialize = await connection.prepare(`SELECT json_serialize_sql($1::VARCHAR, ${flags})`);
  return {
    async run(sql) {
      await connection.run(sql);
    },
    async syntaxTree(query) {
      serialize.bindVarchar(1, query);
      return String((await (await serialize.run()).getRows())[0]?.[0]);
    },
    query: (sql, limits) => limitedQuery(connection, sql, limits),
    async closeOff() {
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function limitedQuery(
  connection: DuckDBConnection,
  sql: string,
  { limitMs, rowLimit }: { limitMs: number; rowLimit: number },
): Promise<Result> {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    connection.interrupt();
  }, limitMs);
  try {
    const result = await connection.stream(sql);
    const rows: Row[] = [];
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      rows.push(...chunk.getRows().map((row) => row.map(toValue)));
      if (isOver) throw new TimeLimit();
      if (rows.length > rowLimit) break;
    }
    const isCut = rows.length > rowLimit;
    return { columns: result.columnNames(), rows: rows.slice(0, rowLimit), isCut };
  } catch (error) {
    if (isOver) throw new TimeLimit(`longer than ${limitMs} ms`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function toValue(value: DuckDBValue): Value {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === "string") return value;
  if (value instanceof DuckDBDecimalValue) return Number(value.toString());
  const name = value instanceof DuckDBDateValue ? "Date" : value.constructor.name.replace(/^DuckDB|Value$/g, "");
  return name.startsWith("Date") || name.startsWith("Timestamp")
    ? `date ${dayOrInstant(String(value))}`
    : `${name.toLowerCase()} ${String(value)}`;
}

/** A timestamp at midnight is the day. */
function dayOrInstant(text: string): string {
  return text.replace(/ 00:00:00(\.0+)?$/, "");
}
