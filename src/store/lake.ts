/**
 * The lake: the sealed runs as Parquet, and an in-process DuckDB over it. A pure function of (sealed logs, ledger): it
 * may be deleted at any time and comes back bit for bit. A run's files are made once, under a temporary name, and moved
 * into place; two builders make the same bytes, so neither waits for the other. Does not know what is asked of it.
 */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { isAlive } from "../foundation/lock-file.ts";
import { isDiskFull } from "../foundation/system-refusal.ts";
import type { RunId } from "../records/ids.ts";
import { openCheckedLogs } from "./checked-logs.ts";
import { type Database, isOutOfMemory, openDatabase, type Parameters, type Row, rowsOf, sqlText } from "./duckdb.ts";
import type { Home } from "./home.ts";
import { draftFile, writeParts } from "./lake-parts.ts";
import { writeLakeScript } from "./lake-script.ts";
import { TABLES } from "./lake-tables.ts";
import { lakeViews } from "./lake-views.ts";
import { coveredRuns, lateVerdicts, revocations, type SealedRun, sealedRuns, tipRetirements } from "./ledger.ts";
import { PART_BYTES, splitLog } from "./log-split.ts";

/** Goes up whenever the tables or their queries change: a file of another version is not seen, and replaced. */
const LAKE_VERSION = 12;

const QUERY_MEMORY_MB = 384;
const QUERY_THREADS = 2;
const SKILL_ID = /^[a-z0-9][a-z0-9-]*$/;

export interface LakeReport {
  /** Runs whose files were made now. */
  built: RunId[];
  /** Runs whose files were there. */
  kept: RunId[];
  /** Sealed runs whose log is gone, whether or not the lake still holds them: `verify` names them too. */
  missing: RunId[];
}

export interface Lake {
  /** Returns all rows of a query. Columns of type JSON come as text, whole numbers as numbers, timestamps as ISO 8601. */
  query(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Starts a query whose rows are read in batches, in constant memory; several may be open at once. */
  stream(sql: string, parameters?: Parameters): Promise<AsyncIterable<Row[]>>;
  close(): void;
}

export interface BuildOptions {
  memoryLimitMb?: number;
  /** How many bytes of a log are turned into Parquet at a time. */
  partBytes?: number;
  /** Bytes of the run's log that were read, of how many. */
  onProgress?: (progress: { run: RunId; bytes: number }) => void;
}

/**
 * Makes the Parquet files of every sealed run that has none yet, after checking its log against the ledger; checks
 * the others' logs where they changed since.
 * Throws: `LOG_BROKEN`, `LEDGER_BROKEN`, `DISK_FULL`.
 */
export async function buildLake(home: Home, options: BuildOptions = {}): Promise<LakeReport> {
  const sealed = sealedRuns(home);
  removeDeadWork(home);
  const report: LakeReport = { built: [], kept: [], missing: [] };
  const logs = openCheckedLogs(home);
  try {
    for (const run of sealed.values()) {
      const isKept = filesOf(home, "runs", run).length > 0;
      const isThere = existsSync(home.runLog(run.run));
      if (!isThere) report.missing.push(run.run);
      if (isKept) report.kept.push(run.run);
      if (isKept && isThere) logs.check(run);
      if (isKept || !isThere) continue;
      await logs.checkedBy(run, () => buildRun(home, run, options));
      report.built.push(run.run);
    }
  } finally {
    await logs.save();
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
    async stream(sql, parameters) {
      return (await database.stream(sql, parameters)).batches;
    },
    close: () => database.close(),
  };
}

/** Opens the lake for one piece of work, and closes it after it. Throws: as `openLake`; what the work throws. */
export async function withLake<T>(home: Home, work: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLake(home);
  try {
    return await work(lake);
  } finally {
    lake.close();
  }
}

export interface LakeDatabase extends Database {
  /** Sealed runs whose log is gone. */
  missing: RunId[];
}

/** Opens the database behind `openLake`: its views are set up, and everything else is locked. */
export async function openLakeDatabase(home: Home): Promise<LakeDatabase> {
  const { built, kept, missing } = await buildLake(home);
  const sealed = sealedRuns(home);
  const runs = [...built, ...kept].flatMap((run) => sealed.get(run) ?? []);
  const skills = [...new Set(runs.map(({ skill }) => skill))].sort();
  const views = (pathOf: (file: string) => string) => {
    const filesOfTable = ({ name }: { name: string }) => runs.flatMap((run) => filesOf(home, name, run)).map(pathOf);
    const files = Object.fromEntries(TABLES.map((table) => [table.name, filesOfTable(table)]));
    const retirements = tipRetirements(home).values();
    const said = { retirements, revocations: revocations(home), covered: coveredRuns(home), late: lateVerdicts(home) };
    return lakeViews(skills, files, said);
  };
  await writeLakeScript(
    home,
    views((file) => relative(home.path, file)),
  );
  const folder = workFolder(home);
  mkdirSync(folder, { recursive: true });
  const database = await openDatabase({ memoryLimitMb: QUERY_MEMORY_MB, threads: QUERY_THREADS, spillFolder: folder });
  const close = () => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const statement of views((file) => file)) await database.run(statement);
    // The order matters: once the configuration is locked nothing can be opened again.
    await database.run(`SET allowed_directories = [${sqlText(`${home.lake}/`)}]`);
    await database.run("SET enable_external_access = false");
    await database.run("SET lock_configuration = true");
    return { ...database, missing, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function buildRun(
  home: Home,
  run: SealedRun,
  { memoryLimitMb, partBytes = PART_BYTES, onProgress }: BuildOptions,
): Promise<void> {
  const folder = workFolder(home);
  mkdirSync(folder, { recursive: true });
  try {
    const parts = splitLog(home.runLog(run.run), run, {
      folder,
      partBytes,
      ...(onProgress && { onBytes: (bytes: number) => onProgress({ run: run.run, bytes }) }),
    });
    await writeParts({ run, parts, folder, ...(memoryLimitMb !== undefined && { memoryLimitMb }) });
    // `runs` comes last: its file says that all others are there.
    for (const { name } of TABLES) for (const part of parts.keys()) moveIntoPlace(home, { name, part, run, folder });
  } catch (error) {
    if (isOutOfMemory(error)) throw outOfMemory(home.runLog(run.run), error as Error);
    throw isDiskFull(error) ? diskFull(home, error as Error) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function diskFull(home: Home, error: Error): Refusal {
  return new Refusal({
    code: "DISK_FULL",
    message: "The disk is full: the lake was not made.",
    expected: "about as much room as the run's log takes",
    got: error.message,
    where: home.lake,
    fix: "nothing recorded is lost: free some space, then ask again",
    cause: error,
  });
}

function outOfMemory(path: string, error: Error): Refusal {
  return new Refusal({
    code: "LAKE_OUT_OF_MEMORY",
    message: "The log has a line, or an item with attempts, that is too large for the lake.",
    expected: "the attempts of one item to fit into some hundred megabytes",
    got: error.message.split("\n", 1)[0] ?? "",
    where: path,
    fix: "record fewer attempts of one item, or shorter outputs, in one run",
    cause: error,
  });
}

function moveIntoPlace(
  home: Home,
  { name, part, run, folder }: { name: string; part: number; run: SealedRun; folder: string },
): void {
  const draft = draftFile(folder, name, part);
  const fd = openSync(draft, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  const target = partition(home, name, run);
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target))
    if (!name.startsWith(filePrefix(run))) rmSync(join(target, name), { force: true });
  renameSync(draft, join(target, `${filePrefix(run)}${String(part).padStart(4, "0")}.parquet`));
}

/** The files of a table of one run: those of this version of the lake and of the log as it was sealed. */
function filesOf(home: Home, table: string, run: SealedRun): string[] {
  const folder = partition(home, table, run);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => name.startsWith(filePrefix(run)))
    .sort()
    .map((name) => join(folder, name));
}

function filePrefix({ head }: SealedRun): string {
  return `${head.slice(0, 16)}-v${LAKE_VERSION}-`;
}

function partition(home: Home, table: string, { run, skill }: SealedRun): string {
  if (!SKILL_ID.test(skill)) {
    throw new Refusal({
      code: "BAD_SKILL_ID",
      message: "A skill's id names a folder and a schema of the lake.",
      expected: "lower-case letters, digits and dashes",
      got: JSON.stringify(skill),
      where: `run ${run}`,
    });
  }
  return join(home.lake, table, `skill=${skill}`, `run=${run}`);
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
