/** Parquet row by row: groups of unlike rows, and what a column of records says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JsonLine } from "../../../src/capture/importer.ts";
import { parquetRows } from "../../../src/capture/reading/parquet.ts";
import { openDatabase, sqlText } from "../../../src/store/duckdb.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "tracemill-parquet-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

/** What is read of a file that this query makes, and how many bytes each step says to have read. */
async function readBack(query: string, options = "") {
  const file = join(scratch, "rows.parquet");
  const database = await openDatabase({ memoryLimitMb: 512, threads: 1, spillFolder: "" });
  await database.run(`COPY (${query}) TO ${sqlText(file)} (FORMAT parquet ${options})`);
  database.close();
  const steps: number[] = [];
  const rows: Record<string, unknown>[] = [];
  for await (const row of parquetRows({ file, scratch }, (bytes) => steps.push(bytes))) {
    rows.push((row as JsonLine).value as Record<string, unknown>);
  }
  return { rows, steps };
}

it.each([
  ["behind all others", 6149],
  ["amid others", 2500],
])("one long row makes only those of its own group be asked for few at a time: %s", async (_, place) => {
  const text = `CASE WHEN n = ${place} THEN repeat(md5(n::VARCHAR), 200000) ELSE 'short' END`;
  const { rows, steps } = await readBack(`SELECT n, ${text} AS text FROM range(6150) t(n)`, ", ROW_GROUP_SIZE 2048");
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 6150 }, (_, n) => n));
  expect(rows.map(({ text }) => String(text).length)).toEqual(rows.map(({ n }) => (n === place ? 6_400_000 : 5)));
  expect(steps.length).toBeLessThan(100);
  expect(steps.filter((bytes) => !Number.isInteger(bytes))).toEqual([]);
});

it("what lies in a record is without the fields that other rows' records have, and JSON is as it was written", async () => {
  const call = (given: string) => `[{'name': 'f', 'content': NULL, 'arguments': ${given}}]`;
  const given = `[{'a': 2, 'b': NULL}, {'a': NULL, 'b': 'x'}]`;
  const { rows } = await readBack(`SELECT ${call(`${given}[n]`)} AS calls, '{"deep": {"a": null}}'::JSON AS said,
    {'in': {'k': MAP {'n': n}, 'none': NULL::INT}} AS noted FROM (VALUES (1), (2)) t(n)`);
  expect(rows).toEqual([
    {
      calls: [{ name: "f", content: null, arguments: { a: 2 } }],
      ...{ said: { deep: { a: null } }, noted: { in: { k: { n: 1 } } } },
    },
    {
      calls: [{ name: "f", content: null, arguments: { b: "x" } }],
      ...{ said: { deep: { a: null } }, noted: { in: { k: { n: 2 } } } },
    },
  ]);
});
