/**
 * Rows of the SQLite file that gemma-forge's first runs kept their memory in. Opened read-only and as it lies: nothing beside
 * it is written.
 */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Json } from "../../foundation/canonical-json.ts";
import type { Rejected } from "../foreign.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { EVENTS, type StoreEvents, type StoreRow, TABLES } from "./memory-store.ts";

/** The patterns that a run banned for good, kept as attempts at no item. */
const NO_ITEM = "_global_ban";

/** Files beside a database with what was written since, or what has to be taken back, where its program did not close it. */
const LOGS_BESIDE = ["-wal", "-journal"];

const DOCUMENTS = new Set(["config", "summary", "data"]);

/** Whether a file begins as an SQLite database does. */
export function isSqlite(head: Buffer): boolean {
  return head.toString("latin1", 0, 15) === "SQLite format 3";
}

/** Yields the rows of the tables that are known, and what cannot be read as `rejected`; throws nothing. */
export async function* sqliteRows(path: string): AsyncGenerator<StoreRow | StoreEvents | Rejected> {
  const sqlite = await import("node:sqlite").catch(() => null);
  if (sqlite === null) {
    yield rejected(path, `SQLite needs Node 22.13 or newer, and this is ${process.versions.node}`);
    return;
  }
  yield* logsBeside(path);
  try {
    const database = new sqlite.DatabaseSync(readOnlyUrl(path), { readOnly: true });
    try {
      const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      for (const { name } of names) {
        const table = String(name);
        if (table === EVENTS) yield* eventsIn(path, database);
        if (!(table in TABLES)) continue;
        for (const row of database.prepare(`SELECT * FROM "${table}"`).iterate()) {
          if (row.item_id !== NO_ITEM) yield* plainRow(row, { where: `${path}#${table}`, table });
        }
      }
    } finally {
      database.close();
    }
  } catch (error) {
    yield rejected(path, `it cannot be read as SQLite: ${(error as Error).message}`);
  }
}

function* logsBeside(path: string): Generator<Rejected> {
  for (const log of LOGS_BESIDE.map((end) => `${path}${end}`)) {
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) continue;
    yield rejected(
      log,
      "its rows may not be in the database yet: `PRAGMA wal_checkpoint(TRUNCATE)` by sqlite3 puts them there",
    );
  }
}

function* eventsIn(path: string, database: DatabaseSync): Generator<StoreEvents> {
  const runs = database.prepare(`SELECT run_id, count(*) AS count FROM ${EVENTS} WHERE run_id IS NOT NULL GROUP BY 1`);
  for (const { run_id, count } of runs.iterate()) {
    const run = String(run_id);
    yield { where: `${path}#${EVENTS}`, run, count: Number(count), read: () => sqliteEvents(path, run) };
  }
}

async function* sqliteEvents(path: string, run: string): AsyncGenerator<StoreRow | Rejected> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(readOnlyUrl(path), { readOnly: true });
  try {
    const rows = database.prepare(`SELECT * FROM ${EVENTS} WHERE run_id = ? ORDER BY rowid`);
    for (const row of rows.iterate(run)) yield* plainRow(row, { where: `${path}#${EVENTS}`, table: EVENTS });
  } catch (error) {
    yield rejected(path, `its events cannot be read: ${(error as Error).message}`);
  } finally {
    database.close();
  }
}

/** As it lies: nothing beside it is written. */
function readOnlyUrl(path: string): URL {
  const url = pathToFileURL(path);
  url.search = "?mode=ro&immutable=1";
  return url;
}

/** A document that is none is said, and the row goes on without it. */
function* plainRow(
  values: Record<string, unknown>,
  place: Pick<StoreRow, "where" | "table">,
): Generator<StoreRow | Rejected> {
  const row: Record<string, Json> = {};
  for (const [name, value] of Object.entries(values)) {
    const isDocument = DOCUMENTS.has(name) && value !== null;
    const read = isDocument
      ? parseJson(String(value))
      : { value: value instanceof Uint8Array ? null : (value as Json) };
    if ("value" in read) row[name] = read.value;
    else yield rejected(place.where, `its \`${name}\` cannot be used: ${read.reason}`);
  }
  yield { ...place, row };
}
