import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase, type Row, rowsOf, sqlText } from "../../src/store/duckdb.ts";
import { createParquetTable } from "../../src/store/parquet-table.ts";
import { withHome } from "./sample-run.ts";

async function ask(folder: string, sql: string): Promise<Row[]> {
  const database = await openDatabase({ memoryLimitMb: 1024, threads: 1, spillFolder: join(folder, "spill") });
  try {
    return await rowsOf(database.stream(sql));
  } finally {
    database.close();
  }
}

test("JSON of any shape and hostile texts come back as they went in, with the file's metadata", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "rows.parquet");
    const texts = ["nul \u0000 in it", "quote ' and \" and \\", "line\u2028end \u{1f600}", ""];
    const columns = [["text", "VARCHAR"] as const, ["messages", "JSON[]"] as const];
    const table = createParquetTable(target, { columns, metadata: { huggingface: "it's {here}" } });
    const messages = [{ a: { b: 1 } }, { a: "x", c: [null] }];
    for (const text of texts) await table.add(JSON.stringify({ text, messages }), 1);
    await table.finish();
    const rows = await ask(folder, `SELECT text, messages FROM ${sqlText(target)}`);
    expect(rows.map(({ text }) => text)).toEqual(texts);
    const [first] = rows.map((row) => row.messages as string[]);
    expect(first?.map((message) => JSON.parse(message))).toEqual(messages);
    const [metadata] = await ask(
      folder,
      `SELECT decode(value) AS value FROM parquet_kv_metadata(${sqlText(target)}) WHERE decode(key) = 'huggingface'`,
    );
    expect(metadata?.value).toBe("it's {here}");
  }));

test("a line longer than DuckDB's own limit is written whole", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "rows.parquet");
    const table = createParquetTable(target, { columns: [["text", "VARCHAR"]] });
    await table.add(JSON.stringify({ text: "short" }), 1);
    await table.add(JSON.stringify({ text: "é".repeat(20 << 20) }), 1);
    await table.finish();
    expect(await ask(folder, `SELECT length(text)::INTEGER AS length FROM ${sqlText(target)}`)).toEqual([
      { length: 5 },
      { length: 20 << 20 },
    ]);
  }));
