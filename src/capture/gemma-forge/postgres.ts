/**
 * Rows of gemma-forge's memory in Postgres, of every schema that has its tables, in one read-only transaction.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { Refusal } from "../../foundation/errors.ts";
import { type StoreRow, TABLES } from "./memory-store.ts";

const ROWS_AT_A_TIME = 2000;

/** Throws: `POSTGRES_FAILED`; no password stands in it. */
export async function* postgresRows(url: string): AsyncGenerator<StoreRow> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url, application_name: "tracemill", statement_timeout: 600_000 });
  try {
    await client.connect();
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const { rows: tables } = await client.query(
      `SELECT table_schema, table_name FROM information_schema.tables t WHERE table_name = ANY($1) AND EXISTS (
        SELECT FROM information_schema.tables w WHERE w.table_schema = t.table_schema AND w.table_name = 'work_items')`,
      [Object.keys(TABLES)],
    );
    for (const { table_schema, table_name } of tables) {
      const name = `${client.escapeIdentifier(table_schema)}.${client.escapeIdentifier(table_name)}`;
      await client.query(`DECLARE rows_read NO SCROLL CURSOR FOR SELECT to_jsonb(t) AS row FROM ${name} t`);
      for (;;) {
        const { rows } = await client.query(`FETCH ${ROWS_AT_A_TIME} FROM rows_read`);
        for (const { row } of rows) {
          yield { where: `${table_schema}.${table_name}`, table: table_name, row: row as Record<string, Json> };
        }
        if (rows.length < ROWS_AT_A_TIME) break;
      }
      await client.query("CLOSE rows_read");
    }
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
