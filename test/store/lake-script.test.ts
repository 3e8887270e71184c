import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { sqlText } from "../../src/store/duckdb.ts";
import { homeAt } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { withHome, writeSampleRun } from "./sample-run.ts";

const TRAINING = `SELECT a.approach_prompt AS prompt, a.tool_call AS response, a.eval_passed AS reward
  FROM stig.attempts a
  WHERE a.eval_passed = true AND a.approach_prompt IS NOT NULL AND a.tool_call IS NOT NULL;`;

/** Asks a DuckDB that knows nothing of tracemill, as a program of the user's own would. */
async function askPlainDuckdb(home: string, sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(`SET file_search_path = ${sqlText(home)}`);
    await connection.run(await readFile(join(home, "lake", "views.sql"), "utf8"));
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

it("lets any DuckDB ask the lake what tracemill asks, also where the home was moved", () =>
  withHome(async ({ path }) => {
    const home = homeAt(join(path, "before"));
    await writeSampleRun(home, { skill: "stig", items: 6 });
    const lake = await openLake(home);
    const expected = await lake.query(TRAINING);
    lake.close();
    expect(expected.length).toBeGreaterThan(2);
    const moved = join(path, "it's after");
    await rename(home.path, moved);
    expect(await askPlainDuckdb(moved, TRAINING)).toEqual(expected);
  }));

it("is the same text again where nothing was said since", () =>
  withHome(async (home) => {
    await writeSampleRun(home);
    const script = async () => {
      (await openLake(home)).close();
      return readFile(join(home.lake, "views.sql"), "utf8");
    };
    expect(await script()).toBe(await script());
  }));
