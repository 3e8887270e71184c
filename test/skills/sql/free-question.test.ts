import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it } from "vitest";
import skill from "../../../skills/sql/skill.ts";
import type { Reply, Source } from "../../../src/skills/contract.ts";
import { scanItems } from "../../../src/skills/scan.ts";

let folder: string;
let csv: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-ask-"));
  csv = join(folder, "2024 Boat Sales.csv");
  await writeFile(csv, "boat,sold on,price\nLark,2024-02-01,1200\nHeron,2024-03-05,900.5\nKite,,\n");
});

afterAll(async () => {
  await skill.close();
  await rm(folder, { recursive: true });
});

function answer(query: string, source: Source): Promise<Reply> | undefined {
  return skill.answer?.({ name: "run_sql", arguments: { query } }, source);
}

it("describes a CSV file as a table that needs no quotes", async () => {
  expect(await skill.describe?.({ file: csv })).toBe(
    'CREATE TABLE t_2024_boat_sales (boat VARCHAR, "sold on" DATE, price DOUBLE);',
  );
});

it("answers a query over a CSV file", async () => {
  const reply = await answer("SELECT boat, price FROM t_2024_boat_sales WHERE price > 1000", { file: csv });
  expect(reply).toEqual({ columns: ["boat", "price"], rows: [["Lark", 1200]] });
});

it("answers a query over a Parquet file", async () => {
  const parquet = join(folder, "numbers.parquet");
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT range AS n FROM range(5000)) TO '${parquet}'`);
  connection.closeSync();
  expect(await skill.describe?.({ file: parquet })).toBe("CREATE TABLE numbers (n BIGINT);");
  expect(await answer("SELECT SUM(n) FROM numbers", { file: parquet })).toMatchObject({ rows: [[12497500]] });
  expect(await answer("SELECT n FROM numbers", { file: parquet })).toMatchObject({ rows: { length: 1000 } });
});

it("answers over an item's tables", async () => {
  const [item] = await scanItems(skill, { seed: 1, split: "train", limit: 1 });
  if (item === undefined) throw new Error("no item");
  const schema = await skill.describe?.({ item });
  expect(schema).toMatch(/^CREATE TABLE/);
  const reply = await answer(String(item.detail.reference), { item });
  expect(reply).toMatchObject({ columns: expect.any(Array), rows: expect.any(Array) });
  expect(skill.freePrompt?.("How many?", schema ?? "").at(-1)?.content).toBe(`${schema}\nQuestion: How many?`);
});

it("keeps a free query to the same rules", async () => {
  expect(await answer("SELECT * FROM read_csv('/etc/passwd')", { file: csv })).toEqual({
    error: "the table function read_csv is not allowed",
  });
  expect(await answer("DROP TABLE t_2024_boat_sales", { file: csv })).toEqual({
    error: "only SELECT statements are allowed",
  });
  expect(await answer("SELECT nope FROM t_2024_boat_sales", { file: csv })).toMatchObject({
    error: expect.stringMatching(/^Binder Error/),
  });
});

it("goes on after a free query that took too long", async () => {
  const [item] = await scanItems(skill, { seed: 1, split: "train", limit: 1 });
  if (item === undefined) throw new Error("no item");
  const endless = await answer("SELECT COUNT(*) FROM range(100000000000000)", { item });
  expect(endless).toEqual({ error: "longer than 2000 ms" });
  expect(await answer("SELECT 1", { item })).toMatchObject({ rows: [[1]] });
});

it("refuses a file that is not there, or of another kind, or none at all", async () => {
  await expect(skill.describe?.({ file: join(folder, "none.csv") })).rejects.toMatchObject({ code: "BAD_FILE" });
  await expect(skill.describe?.({ file: join(folder, "x.exe") })).rejects.toMatchObject({ code: "BAD_FILE" });
  await expect(skill.describe?.({})).rejects.toMatchObject({ code: "NO_SOURCE" });
});
