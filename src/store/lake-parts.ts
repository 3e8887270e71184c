/**
 * Makes the lake's tables of one run from the parts that its log was split into, each part in a DuckDB of its own and
 * within a limit of memory. Does not know where the files belong.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isOutOfMemory, openDatabase, sqlText } from "./duckdb.ts";
import { LINE_COLUMNS, noLines, TABLES, tableQuery } from "./lake-tables.ts";
import type { SealedRun } from "./ledger.ts";
import { STAGED_TYPES, type StagedLines, type StagedPart, type StagedType } from "./log-split.ts";

/** For the two parts that are made at a time. */
const MEMORY_MB = 260;
/** How much more a part gets that needs more than its share: it has one item that is several parts long. */
const LARGE_PART_FACTOR = 8;
const LONG_LINE_BYTES = 4 << 20;
/** What reading, holding, compressing and writing one line takes at the same time. */
const COPIES_OF_A_LINE = 8;
const SMALLEST_OBJECT_BYTES = 1 << 20;

/**
 * Writes the tables of a run as draft files in `folder`. Two parts at a time; one where lines are so long that reading
 * and writing one takes most of the memory. A part that needs more than its share is made alone, after the others.
 * Throws: DuckDB's out-of-memory error where even that does not do.
 */
export async function writeParts(draft: {
  run: SealedRun;
  parts: StagedPart[];
  folder: string;
  memoryLimitMb?: number;
}): Promise<void> {
  const { parts, memoryLimitMb = MEMORY_MB, ...rest } = draft;
  const longest = Math.max(
    ...parts.flatMap((part) => Object.values(part).map(({ longestLineBytes }) => longestLineBytes)),
  );
  const atOnce = longest > LONG_LINE_BYTES ? 1 : 2;
  const limit = memoryLimitMb / atOnce + Math.ceil((COPIES_OF_A_LINE * longest) / 1e6);
  const large: PartDraft[] = [];
  const waiting = parts.entries();
  const build = async () => {
    for (const [part, staged] of waiting) {
      const own = { ...rest, part, staged, memoryLimitMb: limit };
      await writePart(own).catch((error) => {
        if (!isOutOfMemory(error)) throw error;
        large.push({ ...own, memoryLimitMb: LARGE_PART_FACTOR * limit });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, build));
  for (const own of large) await writePart(own);
}

interface PartDraft {
  run: SealedRun;
  part: number;
  staged: StagedPart;
  folder: string;
  memoryLimitMb: number;
}

/** One thread a part: the same rows then always come in the same order, and two parts are made at a time. */
async function writePart({ run, part, staged, folder, memoryLimitMb }: PartDraft): Promise<void> {
  const database = await openDatabase({ memoryLimitMb, threads: 1, spillFolder: join(folder, `spill-${part}`) });
  try {
    for (const type of STAGED_TYPES) await database.run(`CREATE VIEW ev_${type} AS ${readStaged(staged[type], type)}`);
    for (const { name, query } of TABLES) {
      const path = sqlText(draftFile(folder, name, part));
      await database.run(`COPY (${tableQuery(query, { ...run, part })}) TO ${path} (FORMAT parquet, COMPRESSION zstd)`);
      await database.run(`CREATE VIEW ${name} AS SELECT * FROM read_parquet(${path})`);
    }
  } finally {
    database.close();
  }
  for (const { paths } of Object.values(staged)) for (const path of paths) rmSync(path);
}

function readStaged({ paths, longestLineBytes }: StagedLines, type: StagedType): string {
  if (paths.length === 0) return noLines(type);
  const columns = Object.entries(LINE_COLUMNS[type]).map(([name, columnType]) => `'${name}': ${sqlText(columnType)}`);
  const largestBytes = Math.max(longestLineBytes, SMALLEST_OBJECT_BYTES);
  return `SELECT * FROM read_ndjson([${paths.map(sqlText).join(", ")}], columns = {${columns.join(", ")}},
    maximum_object_size = ${largestBytes})`;
}

/** Names the Parquet file of a table of one part, before it is moved into place. */
export function draftFile(folder: string, table: string, part: number): string {
  return join(folder, `${table}-${part}.parquet`);
}
