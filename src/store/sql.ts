/**
 * A user's own query on the lake: one statement, reading only, nothing but the lake. DuckDB itself is locked to the
 * lake's folder before the text is seen; that only a SELECT runs is checked here, as a COPY could write into it.
 */
import { Refusal } from "../foundation/errors.ts";
import { nearest } from "../foundation/nearest.ts";
import type { RunId } from "../records/ids.ts";
import { type Database, type RowStream, rowsOf } from "./duckdb.ts";
import type { Home } from "./home.ts";
import { openLakeDatabase } from "./lake.ts";

const INTERRUPT_EVERY_MS = 50;

export interface LakeQuery extends RowStream {
  /** Sealed runs whose log is gone: their rows are those that the lake still holds, if any. */
  missing: RunId[];
  close(): void;
}

/**
 * Starts a query; its batches are read in constant memory. An aborted `signal` ends it.
 * Throws: `ONE_STATEMENT`, `NOT_READ_ONLY`, `OUTSIDE_LAKE`, `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `QUERY_TOO_LARGE`,
 * `INTERRUPTED`, `BAD_SQL`, each with DuckDB's own message; and as `openLake`.
 */
export async function queryLake(home: Home, sql: string, signal?: AbortSignal): Promise<LakeQuery> {
  const database = await openLakeDatabase(home);
  const stopListening = onceAborted(signal, () => database.interrupt());
  const close = () => {
    stopListening();
    database.close();
  };
  try {
    await refuseAllButOneSelect(database, sql);
    const { columns, batches } = await database.stream(sql);
    return { columns, batches: withRefusals(database, sql, batches), missing: database.missing, close };
  } catch (error) {
    const refusal = error instanceof Refusal ? error : await refusalOf(database, sql, error);
    close();
    throw refusal;
  }
}

/** An interruption ends only what runs at that moment, and the query may be about to: so again and again, until it is over. */
function onceAborted(signal: AbortSignal | undefined, interrupt: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setInterval(interrupt, INTERRUPT_EVERY_MS);
  };
  if (signal?.aborted === true) begin();
  signal?.addEventListener("abort", begin);
  return () => {
    signal?.removeEventListener("abort", begin);
    clearInterval(timer);
  };
}

/** Parses and nothing else: even to prepare some statements (EXPORT) would make folders. */
async function refuseAllButOneSelect(database: Database, sql: string): Promise<void> {
  const parsing = database.stream("SELECT json_serialize_sql($sql::VARCHAR) AS parsed", { sql });
  const [row] = await rowsOf(parsing);
  const parsed = JSON.parse(String(row?.parsed)) as {
    error_type?: string;
    error_message?: string;
    statements?: unknown[];
  };
  if (parsed.error_type === "not implemented") {
    throw new Refusal({
      code: "NOT_READ_ONLY",
      message: "The lake is only read: it is made from the logs, which never change.",
      expected: "a SELECT statement (also WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE)",
      got: sql.trim().split(/\s+/, 1)[0] ?? "",
    });
  }
  if (parsed.error_message !== undefined) throw new Error(parsed.error_message);
  const count = parsed.statements?.length ?? 0;
  if (count === 1) return;
  throw new Refusal({
    code: "ONE_STATEMENT",
    message: "A query is one statement.",
    expected: "one SELECT statement",
    got: count === 0 ? "none" : `${count} statements`,
    fix: "give one statement at a time",
  });
}

async function* withRefusals(database: Database, sql: string, batches: RowStream["batches"]): RowStream["batches"] {
  try {
    yield* batches;
  } catch (error) {
    throw await refusalOf(database, sql, error);
  }
}

/** Every error of DuckDB is one of the query's, and is shown with its own message. */
async function refusalOf(database: Database, sql: string, error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const message = duckdbMessage(error);
  const missing = /Table with name "?([^"\s]+)"? does not exist/i.exec(message);
  if (missing !== null) return unknownTable(database, error, missing[1] as string);
  if (/Referenced column|does not have a column/.test(message)) return unknownColumn(database, sql, error);
  const { code, text, fix } = KNOWN_ERRORS.find(({ pattern }) => pattern.test(message)) ?? BAD_SQL;
  return new Refusal({ code, message: text, got: message, ...(fix !== undefined && { fix }), cause: error });
}

function duckdbMessage({ message }: Error): string {
  return message.split("\n\nPossible solutions")[0] as string;
}

interface KnownError {
  pattern: RegExp;
  code: string;
  text: string;
  fix?: string;
}

const BAD_SQL = {
  code: "BAD_SQL",
  text: "DuckDB does not accept this query.",
  fix: 'list a table\'s columns: tracemill sql "DESCRIBE attempts"',
};
const KNOWN_ERRORS: readonly KnownError[] = [
  { pattern: /^Permission Error/, code: "OUTSIDE_LAKE", text: "A query reads the lake and nothing else." },
  {
    pattern: /^Out of Memory/,
    code: "QUERY_TOO_LARGE",
    text: "The query needs more memory than it may have.",
    fix: "add a WHERE, or ask for fewer columns",
  },
  { pattern: /^INTERRUPT/, code: "INTERRUPTED", text: "The query was interrupted." },
];

/** Names the tables that the query speaks of, as far as they are the lake's. */
async function unknownColumn(database: Database, sql: string, error: Error): Promise<Refusal> {
  const spoken = new Set(sql.toLowerCase().match(/[\w.]+/g));
  const tables = (await tableNames(database)).filter((name) => spoken.has(name));
  const described = (tables.length > 0 ? tables : ["attempts"]).map((name) => `tracemill sql "DESCRIBE ${name}"`);
  return new Refusal({
    code: "UNKNOWN_COLUMN",
    message: "There is no such column.",
    got: duckdbMessage(error),
    fix: `list the columns: ${described.join(", ")}`,
    cause: error,
  });
}

async function tableNames(database: Database): Promise<string[]> {
  const tables = await rowsOf(
    database.stream(`SELECT CASE schema_name WHEN 'main' THEN view_name ELSE schema_name || '.' || view_name END AS name
      FROM duckdb_views() WHERE NOT internal AND schema_name NOT IN ('files', 'ledger') ORDER BY schema_name <> 'main', name`),
  );
  return tables.map(({ name }) => String(name));
}

async function unknownTable(database: Database, error: Error, name: string): Promise<Refusal> {
  const names = await tableNames(database);
  const close = nearest(name, names);
  return new Refusal({
    code: "UNKNOWN_TABLE",
    message: `The lake has no table "${name}".`,
    expected: `one of: ${names.join(", ")}`,
    got: error.message,
    ...(close.length > 0 && { fix: `did you mean ${close.map((c) => `"${c}"`).join(" or ")}?` }),
    cause: error,
  });
}
