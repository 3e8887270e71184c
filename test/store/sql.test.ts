import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Refusal } from "../../src/foundation/errors.ts";
import type { Row } from "../../src/store/duckdb.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { queryLake } from "../../src/store/sql.ts";
import { writeSampleRun } from "./sample-run.ts";

let home: Home;
beforeAll(async () => {
  home = homeAt(mkdtempSync(join(tmpdir(), "tracemill-")));
  await writeSampleRun(home, { items: 2 });
  writeFileSync(join(home.path, "outside.csv"), "a\n1\n");
  mkdirSync(join(home.path, "lake2"));
  writeFileSync(join(home.path, "lake2", "beside.csv"), "a\n1\n");
});
afterAll(() => rmSync(home.path, { recursive: true }));

async function rowsOf(sql: string): Promise<Row[]> {
  const { batches, close } = await queryLake(home, sql);
  try {
    const rows: Row[] = [];
    for await (const batch of batches) rows.push(...batch);
    return rows;
  } finally {
    close();
  }
}

/** The code and the details of what a query is refused with. */
async function refused(sql: string): Promise<{ code: string; got: string; fix: string; expected: string }> {
  const refusal: Refusal = await rowsOf(sql).then(
    () => expect.fail(`not refused: ${sql}`),
    (error) => error,
  );
  const { code, got = "", fix = "", expected = "" } = refusal.details;
  return { code, got, fix, expected };
}

test("whatever only reads the lake is answered", async () => {
  for (const sql of [
    "SELECT count(*) FROM attempts;",
    "FROM sql.turns LIMIT 1",
    "WITH passing AS (SELECT * FROM attempts WHERE eval_passed) SELECT item, count(*) FROM passing GROUP BY ALL",
    "DESCRIBE attempts",
    "SUMMARIZE items",
    "VALUES (1), (2)",
    "SELECT item, row_number() OVER (PARTITION BY family ORDER BY item) FROM items",
    `SELECT * FROM read_parquet('${home.lake}/turns/*/*/*.parquet')`,
  ]) {
    expect((await rowsOf(sql)).length, sql).toBeGreaterThan(0);
  }
});

test("columns come in order, each under a name of its own, with rows and without", async () => {
  const { columns, close } = await queryLake(home, "SELECT 1 AS b, 2 AS a, 3 AS b WHERE false");
  close();
  expect(columns).toEqual(["b", "a", "b:1"]);
});

test("a file outside the lake is not read, by any name for it", async () => {
  for (const path of [
    "/etc/passwd",
    join(home.path, "outside.csv"),
    `${home.lake}/../outside.csv`,
    join(home.path, "lake2", "beside.csv"),
    `${home.lake}2/beside.csv`,
    "/proc/self/environ",
    "http://127.0.0.1:1/x.csv",
  ]) {
    expect((await refused(`SELECT * FROM read_text('${path}')`)).code, path).toBe("OUTSIDE_LAKE");
  }
  for (const read of ["read_csv", "read_parquet", "read_ndjson", "read_blob", "glob", "sniff_csv", "parquet_schema"]) {
    expect((await refused(`SELECT * FROM ${read}('/etc/passwd')`)).code, read).toBe("OUTSIDE_LAKE");
  }
  expect((await refused("SELECT * FROM '/etc/passwd'")).code).toBe("UNKNOWN_TABLE");
});

test("nothing is written, attached, installed or set, in the lake or out of it", async () => {
  const inside = join(home.lake, "x");
  const outside = join(home.path, "x");
  for (const sql of [
    `COPY (SELECT 1) TO '${inside}'`,
    `COPY (SELECT 1) TO '${outside}'`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${inside}'`,
    `EXPORT DATABASE '${inside}'`,
    `ATTACH '${inside}'`,
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "CREATE TABLE x (a INT)",
    "CREATE TEMP MACRO m() AS 1",
    "DROP VIEW attempts",
    "INSERT INTO runs VALUES (1)",
    "UPDATE runs SET seed = 1",
    "DELETE FROM runs",
    "CHECKPOINT",
    "SELECT 1; DROP VIEW attempts",
  ]) {
    expect((await refused(sql)).code, sql).toBe("NOT_READ_ONLY");
  }
  expect((await refused("SELECT * FROM query('CREATE TABLE x AS SELECT 1')")).code).toBe("BAD_SQL");
  expect([inside, outside].map((path) => existsSync(path))).toEqual([false, false]);
});

test("a query is one statement", async () => {
  for (const [sql, got] of [
    ["SELECT 1; SELECT 2", "2 statements"],
    ["", "none"],
    ["-- nothing", "none"],
  ] as const) {
    expect(await refused(sql)).toMatchObject({ code: "ONE_STATEMENT", got });
  }
});

test("an unknown table is refused with the nearest ones, in a skill's schema too", async () => {
  expect(await refused("SELECT * FROM attemps")).toMatchObject({
    code: "UNKNOWN_TABLE",
    fix: expect.stringMatching(/^did you mean "attempts"/),
    expected: expect.stringContaining("attempts, completeness, examples, items, messages, retrievals, runs"),
    got: expect.stringContaining("Table with name attemps does not exist"),
  });
  expect((await refused("SELECT * FROM sqk.attempts")).fix).toMatch(/^did you mean "sql.attempts"/);
});

test("an unknown column is refused with DuckDB's candidates and the query's tables", async () => {
  const { code, got, fix } = await refused("SELECT eval_pased FROM attempts");
  expect(code).toBe("UNKNOWN_COLUMN");
  expect(got).toContain('Candidate bindings: "eval_passed"');
  expect(fix).toBe('list the columns: tracemill sql "DESCRIBE attempts"');
  const joined = await refused("SELECT e.lable FROM sql.examples e JOIN runs USING (run)");
  expect(joined.fix).toBe('list the columns: tracemill sql "DESCRIBE runs", tracemill sql "DESCRIBE sql.examples"');
});

test("what is no SQL, or fails while it runs, is refused with DuckDB's message", async () => {
  expect(await refused("SELEC 1")).toMatchObject({ code: "BAD_SQL", got: expect.stringContaining("syntax error") });
  expect(await refused("SELECT item::INT FROM items")).toMatchObject({
    code: "BAD_SQL",
    got: expect.stringContaining("Could not convert"),
  });
});

test("a query that needs too much memory ends, with what to do", async () => {
  const { code, got, fix } = await refused("SELECT list(repeat('x', 1000) || i) FROM range(2000000) AS t(i)");
  expect(code).toBe("QUERY_TOO_LARGE");
  expect(got).not.toContain("memory_limit");
  expect(fix).toContain("WHERE");
});

test.each([0, 500])("a query that is aborted after %d ms ends", async (afterMs) => {
  const aborting = new AbortController();
  const endless = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b";
  const query = queryLake(home, endless, aborting.signal);
  setTimeout(() => aborting.abort(), afterMs);
  await expect(query).rejects.toThrow(expect.objectContaining({ code: "INTERRUPTED" }));
});
