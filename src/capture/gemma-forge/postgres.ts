/**
 * Rows of gemma-forge's memory in Postgres, of every schema that has its tables, in one read-only transaction; events in one of
 * their own when they are asked for.
 */
import type { Client } from "pg";
import type { Json } from "../../foundation/canonical-json.ts";
import { Refusal } from "../../foundation/errors.ts";
import { EVENTS, type StoreEvents, type StoreRow, TABLES } from "./memory-store.ts";

const ROWS_AT_A_TIME = 2000;

/** Throws: `POSTGRES_FAILED`; no password stands in it. */
export function postgresRows(url: string): AsyncGenerator<StoreRow | StoreEvents> {
  return inTransaction(url, async function* (client) {
    const { rows: tables } = await client.query(
      `SELECT table_schema, table_name FROM information_schema.tables t WHERE table_name = ANY($1) AND EXISTS (
        SELECT FROM information_schema.tables w WHERE w.table_schema = t.table_schema AND w.table_name = 'work_items')`,
      [[...Object.keys(TABLES), EVENTS]],
    );
    for (const { table_schema: schema, table_name: table } of tables) {
      const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
      if (table !== EVENTS) yield* rowsOf(client, { schema, table, name, rest: "" });
      else {
        const counted = await client.query(`SELECT run_id, count(*) FROM ${name} WHERE run_id IS NOT NULL GROUP BY 1`);
        for (const { run_id: run, count } of counted.rows) {
          // By its number, which the first of these tables have not all.
          const rest = `WHERE run_id = ${client.escapeLiteral(String(run))} ORDER BY (to_jsonb(t) ->> 'id')::bigint`;
          const read = () => inTransaction(url, (again) => rowsOf(again, { schema, table, name, rest }));
          yield { where: `${schema}.${table}`, run: String(run), count: Number(count), read };
        }
      }
    }
  });
}

async function* rowsOf(
  client: Client,
  { schema, table, name, rest }: { schema: string; table: string; name: string; rest: string },
): AsyncGenerator<StoreRow> {
  await client.query(`DECLARE rows_read NO SCROLL CURSOR FOR SELECT to_jsonb(t) AS row FROM ${name} t ${rest}`);
  for (;;) {
    const { rows } = await client.query(`FETCH ${ROWS_AT_A_TIME} FROM rows_read`);
    for (const { row } of rows) yield { where: `${schema}.${table}`, table, row: row as Record<string, Json> };
    if (rows.length < ROWS_AT_A_TIME) break;
  }
  await client.query("CLOSE rows_read");
}

async function* inTransaction<T>(url: string, read: (client: Client) => AsyncGenerator<T>): AsyncGenerator<T> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url, application_name: "tracemill", statement_timeout: 600_000 });
  try {
    await client.connect();
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    yield* read(client);
  } catch (cause) {
    throw new Refusal({
      code: "POSTGRES_FAILED",
      message: "The database cannot be read.",
      expected: "a Postgres that gemma-forge keeps its memory in",
      got: (cause as Error).message,
      where: withoutPassword(url),
      cause,
    });
  } finally {
    await client.end().catch(() => {}); // what went wrong is told already
  }
}

function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:/@]*):[^@]*@/, "$1@");
}
