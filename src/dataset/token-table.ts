/**
 * Token ids and loss masks as Parquet, written by DuckDB from JSON lines. One thread and one order, so that the same
 * rows give the same bytes. The lines lie in small files and the rows in small groups, as DuckDB holds many times what
 * it reads of one file, and a whole group, in memory.
 */
import { rm, writeFile } from "node:fs/promises";
import { openDatabase, sqlText } from "../store/duckdb.ts";

const COLUMNS = "{row_id: 'VARCHAR', ids: 'INTEGER[]', mask: 'UTINYINT[]'}";
const NO_ROWS = "SELECT '' AS row_id, []::INTEGER[] AS ids, []::UTINYINT[] AS mask WHERE false";
const MEMORY_LIMIT_MB = 256;
const PIECE_CHARACTERS = 1 << 20;
const GROUP_ROWS = 2048;
const GROUP_TOKENS = 1 << 20;

export interface TokenRow {
  row_id: string;
  ids: number[];
  mask: (0 | 1)[];
}

export interface TokenTable {
  add(row: TokenRow): Promise<void>;
  /** Writes the Parquet file, and removes what it was made from. */
  finish(): Promise<void>;
}

/** Starts a Parquet file at `target`; what is kept beside it until it is finished has names that begin with its own. */
export function createTokenTable(target: string): TokenTable {
  const pieces: string[] = [];
  let lines: string[] = [];
  let characters = 0;
  let rows = 0;
  let tokens = 0;

  async function flush() {
    if (lines.length === 0) return;
    const piece = `${target}.rows-${pieces.length}.jsonl`;
    await writeFile(piece, lines.join(""));
    pieces.push(piece);
    lines = [];
    characters = 0;
  }

  return {
    async add(row) {
      const line = `${JSON.stringify(row)}\n`;
      lines.push(line);
      characters += line.length;
      rows += 1;
      tokens += row.ids.length;
      if (characters >= PIECE_CHARACTERS) await flush();
    },
    async finish() {
      await flush();
      const groupRows = Math.max(1, Math.min(GROUP_ROWS, Math.floor((GROUP_TOKENS * rows) / Math.max(1, tokens))));
      await writeParquet(pieces, target, groupRows);
      for (const piece of pieces) await rm(piece);
    },
  };
}

async function writeParquet(pieces: readonly string[], target: string, groupRows: number): Promise<void> {
  const source = `SELECT * FROM read_json([${pieces.map(sqlText).join(", ")}], format = 'newline_delimited', columns = ${COLUMNS})`;
  const spillFolder = `${target}.spill`;
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB, threads: 1, spillFolder });
  try {
    await database.run(
      `COPY (${pieces.length === 0 ? NO_ROWS : source}) TO ${sqlText(target)}
       (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows})`,
    );
  } finally {
    database.close();
  }
}
