/**
 * Token ids and loss masks as Parquet, written by DuckDB from JSON lines. One thread and one order, so that the same
 * rows give the same bytes.
 */
const COLUMNS = "{row_id: 'VARCHAR', ids: 'INTEGER[]', mask: 'UTINYINT[]'}";

export interface TokenRow {
  row_id: string;
  ids: number[];
  mask: (0 | 1)[];
}

/** Writes the token rows of the JSON lines at `source` as a Parquet file. */
export async function writeTokenTable(source: string, target: string): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "256MB" });
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (SELECT * FROM read_json(${literal(source)}, format = 'newline_delimited', columns = ${COLUMNS}))
       TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
