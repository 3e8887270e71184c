/**
 * `tracemill sql`, `verify` and `runs` as a user types them.
 */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tracemill } from "../fixtures/tracemill.ts";
import { sampleRunId, withHome, writeSampleRun } from "../store/sample-run.ts";

test("sql prints an aligned table with its number of rows", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 2, passFraction: 1 });
    const { stdout, exitCode } = await tracemill(
      home,
      "sql",
      "SELECT item, attempt_number AS n, eval_passed FROM sql.attempts ORDER BY ALL LIMIT 3",
    );
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`item                n  eval_passed
------------------  -  -----------
sql:family-0/00000  1  true
sql:family-0/00000  2  true
sql:family-1/00001  1  true
3 rows`);
  }));

test("sql --json and --csv give every row whole", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { items: 1 });
    const query = `SELECT 'a "b",' AS text, range AS n, NULL AS nothing FROM range(300)`;
    const json = await tracemill(home, "sql", query, "--json");
    const { columns, rows, isCut } = JSON.parse(json.stdout) as { columns: string[]; rows: object[]; isCut: boolean };
    expect([columns, rows.length, isCut]).toEqual([["text", "n", "nothing"], 300, false]);
    expect(rows[1]).toEqual({ text: 'a "b",', n: 1, nothing: null });
    const csv = (await tracemill(home, "sql", query, "--csv")).stdout.split(/\r?\n/);
    expect(csv.slice(0, 2)).toEqual(["text,n,nothing", '"a ""b"",",0,']);
    expect(csv).toHaveLength(301);
  }));

test("sql refuses a write with exit code 2 and no stack", () =>
  withHome(async (home) => {
    const { stderr, exitCode } = await tracemill(home, "sql", "DROP VIEW attempts");
    expect(exitCode).toBe(2);
    expect(stderr).toBe(`NOT_READ_ONLY: The lake is only read: it is made from the logs, which never change.
  expected: a SELECT statement (also WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE)
  got:      DROP`);
  }));

test("sql says which runs have lost their log", () =>
  withHome(async (home) => {
    const { run } = await writeSampleRun(home, { number: 1, items: 1 });
    await writeSampleRun(home, { number: 2, items: 1 });
    rmSync(home.runLog(run));
    const { stderr, stdout } = await tracemill(home, "sql", "SELECT count(*) AS n FROM runs", "--csv");
    expect(stdout.split(/\r?\n/)).toEqual(["n", "1"]);
    expect(stderr).toBe(`The log is gone of: ${run}. \`tracemill verify\` says more.`);
  }));

test("verify exits 0 on a sound home, 3 on a torn tail, 2 on a changed line, and names the line", () =>
  withHome(async (home) => {
    await writeSampleRun(home, { number: 1 });
    await writeSampleRun(home, { number: 2, isUnfinished: true });
    expect(await tracemill(home, "verify")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/nothing was changed$/),
    });
    appendFileSync(home.runLog(sampleRunId(2)), '{"at":');
    expect((await tracemill(home, "verify")).exitCode).toBe(3);
    const log = home.runLog(sampleRunId(1));
    writeFileSync(log, readFileSync(log, "utf8").replace('"passed":false', '"passed":true '));
    const { exitCode, stdout } = await tracemill(home, "verify");
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/BROKEN at line \d+: the line was changed/);
    expect(stdout).toContain(`${log}:`);
  }));

test("runs lists the runs, or shows one", () =>
  withHome(async (home) => {
    expect((await tracemill(home, "runs")).stdout).toBe("No run yet. Make one: tracemill run --skill sql");
    const { run, head } = await writeSampleRun(home, { number: 1 });
    await writeSampleRun(home, { number: 2, split: "test", isUnfinished: true });
    const { stdout } = await tracemill(home, "runs");
    expect(stdout.split("\n").slice(2)).toEqual([
      expect.stringMatching(new RegExp(`^${run} +sql +train +grow +smollm2 +\\d+ +sealed$`)),
      expect.stringMatching(new RegExp(`^${sampleRunId(2)} +sql +test +grow +smollm2 +\\d+ +open$`)),
    ]);
    expect(JSON.parse((await tracemill(home, "runs", "show", run)).stdout)).toMatchObject({
      run,
      head,
      isSealed: true,
    });
    expect((await tracemill(home, "runs", "show", "nothing")).exitCode).toBe(2);
  }));
