/**
 * The lake: the sealed runs as Parquet, and an in-process DuckDB over it. A pure function of (sealed logs, ledger): it
 * may be deleted at any time and comes back bit for bit. A run's files are made once, under a temporary name, and moved
 * into place; two builders make the same bytes, so neither waits for the other. Does not know what is asked of it.
 */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { isAlive } from "../foundation/lock-file.ts";
import type { RunId } from "../records/ids.ts";
import { type Database, openDatabase, type Parameters, type Row, rowsOf, sqlText } from "./duckdb.ts";
import type { Home } from "./home.ts";
import { EVENT_COLUMNS, eventView, type LakeEvent, TABLES, type Table, tableQuery } from "./lake-tables.ts";
import { lakeViews } from "./lake-views.ts";
import { type SealedRun, sealedRuns } from "./ledger.ts";
import { type SplitPart, splitLog } from "./log-split.ts";

/** Goes up whenever the tables or their queries change: files of another version are not seen, and made anew. */
const LAKE_VERSION = 1;

const BUILD_MEMORY_MB = 256;
const QUERY_MEMORY_MB = 384;
const THREADS = 2;
const VECTOR_ROWS = 2048;
const ROW_GROUP_BYTES = 16 << 20;
const LARGEST_ROW_GROUP = 60 * VECTOR_ROWS;
const SMALLEST_OBJECT_BYTES = 4 << 20;
const SKILL_ID = /^[a-z0-9][a-z0-9-]*$/;
const EVENT_TYPES = Object.keys(EVENT_COLUMNS) as LakeEvent[];

export interface LakeReport {
  /** Runs whose files were made now. */
  built: RunId[];
  /** Runs whose files were there. */
  kept: RunId[];
  /** Sealed runs whose log is gone and that the lake does not hold: `verify` names them too. */
  missing: RunId[];
}

export interface Lake {
  /** Returns all rows of a query. Columns of type JSON come as text, whole numbers as numbers, timestamps as ISO 8601. */
  query(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Reads the rows of a query in batches, in constant memory. */
  stream(sql: string, parameters?: Parameters): AsyncIterable<Row[]>;
  close(): void;
}

export interface BuildOptions {
  memoryLimitMb?: number;
  /** Bytes of the run's log that were read, of how many. */
  onProgress?: (progress: { run: RunId; bytes: number }) => void;
}

/**
 * Makes the Parquet files of every sealed run that has none yet, after checking its log against the ledger.
 * Throws: `LOG_BROKEN`, `LEDGER_BROKEN`.
 */
export async function buildLake(home: Home, options: BuildOptions = {}): Promise<LakeReport> {
  const sealed = sealedRuns(home);
  removeDeadWork(home);
  const report: LakeReport = { built: [], kept: [], missing: [] };
  for (const run of sealed.values()) {
    if (TABLES.every((table) => existsSync(partition(home, table, run)))) report.kept.push(run.run);
    else if (!existsSync(home.runLog(run.run))) report.missing.push(run.run);
    else {
      await buildRun(home, run, options);
      report.built.push(run.run);
    }
  }
  return report;
}

/**
 * Opens the lake for reading, after making what is missing. The database may read the lake's files and nothing else.
 * Throws: as `buildLake`.
 */
export async function openLake(home: Home): Promise<Lake> {
  const database = await openLakeDatabase(home);
  return {
    query: (sql, parameters) => rowsOf(database.stream(sql, parameters)),
    async *stream(sql, parameters) {
      yield* (await database.stream(sql, parameters)).batches;
    },
    close: () => database.close(),
  };
}

/** Opens the database behind `openLake`: its views are set up, and everything else is locked. */
export async function openLakeDatabase(home: Home): Promise<Database> {
  const { built, kept } = await buildLake(home);
  const sealed = sealedRuns(home);
  const runs = [...built, ...kept].flatMap((run) => sealed.get(run) ?? []);
  const skills = [...new Set(runs.map(({ skill }) => skill))].sort();
  const files = Object.fromEntries(TABLES.map((table) => [table.name, runs.map((run) => partition(home, table, run))]));
  const folder = workFolder(home);
  mkdirSync(folder, { recursive: true });
  const database = await openDatabase({ memoryLimitMb: QUERY_MEMORY_MB, threads: THREADS, spillFolder: folder });
  const close = () => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const statement of lakeViews(skills, files)) await database.run(statement);
    // The order matters: once the configuration is locked nothing can be opened again.
    await database.run(`SET allowed_directories = [${sqlText(`${home.lake}/`)}]`);
    await database.run("SET enable_external_access = false");
    await database.run("SET lock_configuration = true");
    return { ...database, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function buildRun(
  home: Home,
  run: SealedRun,
  { memoryLimitMb = BUILD_MEMORY_MB, onProgress }: BuildOptions,
): Promise<void> {
  const folder = workFolder(home);
  mkdirSync(folder, { recursive: true });
  try {
    const parts = splitLog(home.runLog(run.run), run, {
      folder,
      types: EVENT_TYPES,
      ...(onProgress && { onBytes: (bytes: number) => onProgress({ run: run.run, bytes }) }),
    });
    const database = await openDatabase({ memoryLimitMb, threads: THREADS, spillFolder: join(folder, "spill") });
    try {
      for (const type of EVENT_TYPES) await database.run(eventView(type, readPart(parts[type], EVENT_COLUMNS[type])));
      for (const table of TABLES) await writeTable(database, { table, run, folder, parts });
    } finally {
      database.close();
    }
    for (const table of TABLES) moveIntoPlace(join(folder, `${table.name}.parquet`), partition(home, table, run));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readPart({ path, longestLineBytes }: SplitPart, columns: string): string {
  const largest = Math.max(longestLineBytes, SMALLEST_OBJECT_BYTES);
  return `SELECT * FROM read_ndjson(${sqlText(path)}, maximum_object_size = ${largest},
    columns = {'at': 'VARCHAR', 'data': ${sqlText(columns)}, 'seq': 'BIGINT'})`;
}

async function writeTable(
  database: Database,
  { table, run, folder, parts }: { table: Table; run: SealedRun; folder: string; parts: Record<LakeEvent, SplitPart> },
): Promise<void> {
  const path = sqlText(join(folder, `${table.name}.parquet`));
  const query = tableQuery(table.query, run);
  const rows = rowGroupRows(table.from.map((type) => parts[type]));
  await database.run(`COPY (${query}) TO ${path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rows})`);
  await database.run(`CREATE VIEW ${table.name} AS SELECT * FROM read_parquet(${path})`);
}

/** Rows of a Parquet row group, so that one stays near 16 MB: the writer holds whole groups in memory. */
function rowGroupRows(parts: SplitPart[]): number {
  const rowBytes = parts.reduce((sum, { lines, sizeBytes }) => sum + sizeBytes / Math.max(1, lines), 0);
  const vectors = Math.floor(ROW_GROUP_BYTES / Math.max(1, rowBytes) / VECTOR_ROWS);
  return VECTOR_ROWS * Math.min(Math.max(vectors, 1), LARGEST_ROW_GROUP / VECTOR_ROWS);
}

function moveIntoPlace(from: string, to: string): void {
  const fd = openSync(from, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
  for (const name of readdirSync(dirname(to)))
    if (name !== basename(to)) rmSync(join(dirname(to), name), { force: true });
}

function partition(home: Home, table: Table, { run, skill, head }: SealedRun): string {
  if (!SKILL_ID.test(skill)) {
    throw new Refusal({
      code: "BAD_SKILL_ID",
      message: "A skill's id names a folder and a schema of the lake.",
      expected: "lower-case letters, digits and dashes",
      got: JSON.stringify(skill),
      where: `run ${run}`,
    });
  }
  return join(home.lake, table.name, `skill=${skill}`, `run=${run}`, `${head.slice(0, 16)}-v${LAKE_VERSION}.parquet`);
}

/** Names a folder for this process's own use; one whose process is gone is removed by the next builder. */
function workFolder(home: Home): string {
  return join(home.lake, `work-${process.pid}-${randomBytes(4).toString("hex")}`);
}

function removeDeadWork(home: Home): void {
  for (const name of existsSync(home.lake) ? readdirSync(home.lake) : []) {
    const pid = /^work-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(home.lake, name), { recursive: true, force: true });
  }
}
