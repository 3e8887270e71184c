/**
 * Token ids and loss masks as Parquet, written by DuckDB from JSON lines. One thread and one order, so that the same
 * rows give the same bytes.
 */
import { openDatabase, sqlText } from "../store/duckdb.ts";

const COLUMNS = "{row_id: 'VARCHAR', ids: 'INTEGER[]', mask: 'UTINYINT[]'}";
const MEMORY_LIMIT_MB = 1024;
const ROW_GROUP_ROWS = 2048;

export interface TokenRow {
  row_id: string;
  ids: number[];
  mask: (0 | 1)[];
}

/** Writes the token rows of the JSON lines at `source` as a Parquet file. */
export async function writeTokenTable(source: string, target: string): Promise<void> {
  const spillFolder = `${source}.spill`;
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB, threads: 1, spillFolder });
  try {
    await database.run(
      `COPY (SELECT * FROM read_json(${sqlText(source)}, format = 'newline_delimited', columns = ${COLUMNS}))
       TO ${sqlText(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
    );
  } finally {
    database.close();
  }
}
