/**
 * The user's own CSV or Parquet file as a table, in a database of its own that is closed off once the file is in it.
 */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { sqlLiteral, sqlName } from "./contents.ts";
import { type Database, openDatabase } from "./database.ts";
import { screen, shownRow } from "./judge.ts";
import type { Answer } from "./verifier-protocol.ts";

const MEMORY_LIMIT_MB = 768;
const limits = { limitMs: 30_000, rowLimit: 1000 };

interface LoadedFile {
  key: string;
  table: string;
  database: Database;
}

let loaded: LoadedFile | null = null;

/** The CREATE TABLE text of the file's table. Throws: the database's own error where the file cannot be read. */
export async function describeFile(file: string): Promise<string> {
  const { table, database } = await load(file);
  const { rows } = await database.query(
    `SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ${sqlLiteral(table)} ORDER BY column_index`,
    limits,
  );
  return `CREATE TABLE ${table} (${rows.map(([name, type]) => `${plainName(String(name))} ${type}`).join(", ")});`;
}

/** Runs one query that passes the rules; at most 1,000 rows are returned. */
export async function answerFromFile(file: string, query: string): Promise<Answer<"answer">> {
  const { table, database } = await load(file);
  const objection = await screen(database, query, [table]);
  if (objection !== null) return { error: objection.reason, isSpent: false };
  const { columns, rows } = await database.query(query, limits);
  return { columns, rows: rows.map(shownRow) };
}

async function load(file: string): Promise<LoadedFile> {
  const { mtimeMs, size } = await stat(file);
  const key = `${file} ${mtimeMs} ${size}`;
  if (loaded?.key === key) return loaded;
  loaded?.database.close();
  loaded = null;
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB });
  const table = tableName(file);
  const reader = /\.parquet$/i.test(file) ? "read_parquet" : "read_csv";
  await database.run(`CREATE TABLE ${sqlName(table)} AS FROM ${reader}(${sqlLiteral(file)})`);
  await database.closeOff();
  loaded = { key, table, database };
  return loaded;
}

/** A name that needs no quotes: `2024 Sales.csv` gives `t_2024_sales`. */
function tableName(file: string): string {
  const name = basename(file)
    .replace(/\..*$/, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  return /^[a-z]/.test(name) ? name : `t_${name}`;
}

function plainName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : sqlName(name);
}
