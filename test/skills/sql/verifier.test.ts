import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type TaskDetail, taskDetailSchema } from "../../../skills/sql/task-detail.ts";
import { startVerifier } from "../../../skills/sql/verifier.ts";
import { openWorkspace } from "../../../skills/sql/workspace.ts";
import { random } from "../../../src/foundation/random.ts";
import type { Item } from "../../../src/records/item.ts";
import { type Verdict, verdictSchema } from "../../../src/records/verdict.ts";

const verifier = startVerifier();
afterAll(() => verifier.close());

const FRUITS = ["apple", "banana", "cherry", "damson", "elderberry", "fig", "grape", "honeydew", "kiwi", "lemon"];

function task(reference: string, ordered = false): TaskDetail {
  return taskDetailSchema.parse({
    schema: "CREATE TABLE fruit (name VARCHAR, color VARCHAR, weight INTEGER, price DOUBLE);",
    question: "?",
    reference,
    ordered,
    contentsSeed: 7,
    tables: [
      {
        name: "fruit",
        rows: [8, 10],
        columns: [
          { name: "name", values: { draw: "text", from: FRUITS, focus: [] }, isUnique: true, nullFraction: 0 },
          {
            name: "color",
            values: { draw: "text", from: ["red", "green", "blue"], focus: [] },
            isUnique: false,
            nullFraction: 0,
          },
          {
            name: "weight",
            values: { draw: "number", low: 1, high: 40, step: 1, focus: [20, 21, 19] },
            isUnique: false,
            nullFraction: 0.1,
          },
          {
            name: "price",
            values: { draw: "number", low: 1, high: 9, step: 0.01, focus: [] },
            isUnique: true,
            nullFraction: 0,
          },
        ],
      },
    ],
  });
}

function itemOf(detail: TaskDetail): Item {
  return { item: "sql:fruit" as Item["item"], family: "fruit", split: "train", kind: null, task: "?", detail };
}

async function verdictOn(detail: TaskDetail, query: string): Promise<Verdict> {
  const workspace = openWorkspace(itemOf(detail), verifier);
  const call = { name: "run_sql", arguments: { query } };
  await workspace.act(call);
  return verdictSchema.parse(await workspace.verify(call, { call }));
}

async function modeOf(detail: TaskDetail, query: string): Promise<string | null> {
  return (await verdictOn(detail, query)).failureMode;
}

const heavy = task("SELECT name, color FROM fruit WHERE weight > 20");
const sorted = task("SELECT name FROM fruit ORDER BY price", true);

describe("a query that is right", () => {
  it("passes, with the state before it recorded", async () => {
    const verdict = await verdictOn(heavy, "SELECT name, color FROM fruit WHERE weight > 20");
    expect(verdict).toMatchObject({
      value: 1,
      passed: true,
      failureMode: null,
      confidence: 1,
      signalType: "binary",
      verifier: { id: "sql-result-set" },
      before: { value: 0, passed: false },
      flags: [],
    });
    const { contents } = verdict.evidence as { contents: { rows: number; expectedRows: number }[] };
    expect(contents.length).toBeGreaterThanOrEqual(3);
    expect(contents.every(({ rows, expectedRows }) => rows === expectedRows && rows > 0)).toBe(true);
  });

  it.each([
    "select f.name AS n, f.color FROM fruit f WHERE NOT f.weight <= 20;",
    "WITH h AS (SELECT * FROM fruit WHERE weight >= 21) SELECT name, color FROM h ORDER BY name DESC",
    "SELECT name, color FROM fruit WHERE weight > 20 UNION SELECT name, color FROM fruit WHERE weight > 30",
  ])("passes in other words: %s", async (query) => {
    expect(await modeOf(heavy, query)).toBeNull();
  });

  it("passes whatever order its rows come in, where none is asked for", async () => {
    const rows = (keys: number[]) =>
      `SELECT name, color FROM fruit WHERE weight > 20 ORDER BY ${keys.map((key) => `(ascii(name) * ${key}) % 13`).join(", ")}`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 3 }), async (keys) => {
        expect(await modeOf(heavy, rows(keys))).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  it("passes with another number type", async () => {
    const count = task("SELECT COUNT(*), AVG(price) FROM fruit");
    expect(await modeOf(count, "SELECT COUNT(*)::DECIMAL(9,2), SUM(price)::FLOAT8 / COUNT(*) FROM fruit")).toBeNull();
  });

  it("may leave ties in any order where the order leaves them open", async () => {
    const byColor = task("SELECT name FROM fruit ORDER BY color", true);
    expect(await modeOf(byColor, "SELECT name FROM fruit ORDER BY color, name")).toBeNull();
    expect(await modeOf(byColor, "SELECT name FROM fruit ORDER BY color, price DESC")).toBeNull();
    expect(await modeOf(byColor, "SELECT name FROM fruit ORDER BY color DESC")).toBe("wrong-rows");
  });
});

describe("a query that is wrong", () => {
  it.each([
    ["wrong-rows", "SELECT name, color FROM fruit"],
    ["wrong-rows", "SELECT name, color FROM fruit WHERE weight >= 20"],
    ["wrong-rows", "SELECT name, color FROM fruit WHERE weight > 21"],
    ["wrong-rows", "SELECT name, color FROM fruit WHERE weight > 20 LIMIT 2"],
    ["wrong-rows", "SELECT 'fig', 'red'"],
    ["wrong-columns", "SELECT name FROM fruit WHERE weight > 20"],
    ["wrong-columns", "SELECT * FROM fruit WHERE weight > 20"],
    ["wrong-columns", "SELECT color, name FROM fruit WHERE weight > 20"],
    ["wrong-columns", "SELECT * FROM fruit a, fruit b, fruit c, fruit d"],
    ["wrong-rows", "SELECT a.name, a.color FROM fruit a, fruit b, fruit c, fruit d"],
    ["parse", "SELECT name, color FRUM fruit WHERE weight > 20"],
    ["parse", "SELECT name, FROM WHERE"],
    ["runtime", "SELECT nme, color FROM fruit"],
    ["runtime", "SELECT name, color FROM fruits WHERE weight > 20"],
    ["runtime", "SELECT name::INTEGER, color FROM fruit"],
    ["runtime", "SELECT name, color FROM fruit WHERE weight > $1"],
  ])("fails as %s: %s", async (mode, query) => {
    expect(await modeOf(heavy, query)).toBe(mode);
  });

  it("fails in the wrong order where one is asked for", async () => {
    expect(await modeOf(sorted, "SELECT name FROM fruit ORDER BY price")).toBeNull();
    expect(await verdictOn(sorted, "SELECT name FROM fruit ORDER BY price DESC")).toMatchObject({
      failureMode: "wrong-rows",
      evidence: { reason: "the right rows in the wrong order" },
    });
    expect(await modeOf(sorted, "SELECT name FROM fruit")).toBe("wrong-rows");
  });

  it("says which row differs first, and stops there", async () => {
    const verdict = await verdictOn(sorted, "SELECT name FROM fruit ORDER BY weight");
    const { contents } = verdict.evidence as { contents: { difference: { expected: unknown[]; got: unknown[] } }[] };
    const { difference } = contents.at(-1) as (typeof contents)[number];
    expect(FRUITS).toContain(difference.expected[0]);
    expect(difference.got[0]).not.toBe(difference.expected[0]);
  });

  it("shows the error of a query as the action's result", async () => {
    const action = await openWorkspace(itemOf(heavy), verifier).act({
      name: "run_sql",
      arguments: { query: "SELECT x" },
    });
    expect(action).toMatchObject({ exitCode: 1, stdout: "" });
    expect(action.stderr).toMatch(/^runtime: Binder Error/);
  });

  it("shows the rows of a query as the action's result", async () => {
    const query = "SELECT COUNT(*) AS n FROM fruit WHERE false";
    const action = await openWorkspace(itemOf(heavy), verifier).act({ name: "run_sql", arguments: { query } });
    expect(action).toEqual({ exitCode: 0, stdout: '["n"]\n[0]\n', stderr: "" });
  });
});

describe("a query that reaches for more than the tables", () => {
  it.each([
    "SELECT 1; SELECT 2",
    "INSERT INTO fruit VALUES ('x', 'y', 1, 1)",
    "DELETE FROM fruit",
    "CREATE TABLE x (a INTEGER)",
    "DROP TABLE fruit",
    "COPY fruit TO '/tmp/fruit.csv'",
    "ATTACH '/tmp/fruit.db'",
    "SET threads = 8",
    "RESET lock_configuration",
    "PRAGMA database_size",
    "CALL enable_logging()",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPLAIN ANALYZE SELECT 1",
    "DESCRIBE fruit",
    "SHOW TABLES",
    "SUMMARIZE fruit",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM (SELECT content FROM read_text('/etc/passwd'))",
    "WITH x AS (SELECT * FROM read_blob('/proc/self/environ')) SELECT * FROM x",
    "SELECT name, (SELECT count(*) FROM glob('/etc/*')) FROM fruit",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "data.parquet"',
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT current_setting('memory_limit')",
    "SELECT * FROM enable_logging(storage = 'file', storage_config = {'path': '/tmp/log'})",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT name, color FROM fruit ORDER BY random()",
    "SELECT uuid()",
  ])("is forbidden: %s", async (query) => {
    expect(await modeOf(heavy, query)).toBe("forbidden");
  });

  it("is forbidden when it is very long", async () => {
    const query = `SELECT name, color FROM fruit WHERE ${"weight > 20 AND ".repeat(1000)} true`;
    expect(await modeOf(heavy, query)).toBe("forbidden");
  });

  it("cannot pass by any of the engine's own table functions, whatever it is given", async () => {
    const names = ["parquet_scan", "read_json", "read_duckdb", "sniff_csv", "which_secret", "seq_scan", "checkpoint"];
    for (const name of random("functions").shuffle(names)) {
      expect(await modeOf(heavy, `SELECT * FROM ${name}('x')`)).toBe("forbidden");
    }
  });

  it("leaves the tables as they were", async () => {
    await verdictOn(heavy, "DELETE FROM fruit");
    expect(await modeOf(heavy, heavy.reference)).toBeNull();
  });
});

describe("a query that would take the process down", () => {
  it.each([
    [
      "an endless recursion",
      "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT * FROM t",
      /timeout/,
    ],
    ["an endless count", "SELECT COUNT(*) FROM range(100000000000000)", /timeout/],
    ["a list of a billion", "SELECT list(a) FROM range(1000000000) t(a)", /runtime|timeout/],
    ["a value that cannot be interrupted", "SELECT repeat('x', 2000000000)", /timeout|runtime/],
    ["values too large for the process", "SELECT repeat('x', 150000000) FROM range(8)", /timeout|runtime/],
    ["deep nesting", `SELECT ${"(".repeat(4000)}1${")".repeat(4000)}`, /wrong|parse|runtime/],
    ["deep lists", `SELECT ${"[".repeat(4500)}1${"]".repeat(4500)}`, /wrong|parse|runtime/],
    ["a result of a trillion rows", "SELECT 'x', 'y' FROM range(1000000) a, range(1000000) b", /wrong-rows/],
  ])("is survived: %s", async (_name, query, mode) => {
    expect(await modeOf(heavy, query)).toMatch(mode);
    expect(await modeOf(heavy, heavy.reference)).toBeNull();
  });

  it("is asked once more when its process is ended from outside", async () => {
    const verdict = verdictOn(heavy, "SELECT COUNT(*) FROM range(100000000000000)");
    await endProcess();
    expect(await verdict).toMatchObject({ failureMode: "timeout", confidence: 1 });
  });

  it("is blamed with less confidence when its process ends twice", async () => {
    const verdict = verdictOn(heavy, "SELECT COUNT(*) FROM range(200000000000000)");
    const first = await endProcess();
    await endProcess(first);
    expect(await verdict).toMatchObject({
      failureMode: "runtime",
      confidence: 0.5,
      flags: ["environment-suspect"],
      passed: false,
    });
    expect(await modeOf(heavy, heavy.reference)).toBeNull();
  });
});

/** Ends the running process, once there is one that is another than `before`; gives it time to begin its work. */
async function endProcess(before: number | null = null): Promise<number> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pid = verifier.pid();
    if (pid === null || pid === before) continue;
    process.kill(pid, "SIGKILL");
    return pid;
  }
}

describe("an item whose reference has no one answer", () => {
  it("is a failure of the workspace, not of the query", async () => {
    const cut = task("SELECT color FROM fruit LIMIT 1");
    await expect(verdictOn(cut, "SELECT 1")).rejects.toMatchObject({ boundary: "workspace", code: "BAD_REFERENCE" });
  });
});
