/**
 * What the program prints reaches its reader whole, however slow that is; a reader that goes away is no error.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { execa } from "execa";
import { expect, test } from "vitest";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";
import type { Home } from "../src/store/home.ts";
import { withHome, writeSampleRun } from "./store/sample-run.ts";

const CLI = join(PACKAGE_FOLDER, "src", "cli.ts");
/** Many times what a pipe takes at once. */
const LETTERS = 3_000_000;
const LONG_QUERY = `SELECT repeat('x', ${LETTERS}) AS long`;

const start = (home: Home, ...words: string[]) =>
  spawn(process.execPath, [CLI, ...words, "--home", home.path], { stdio: ["ignore", "pipe", "pipe"] });

async function endOf(child: ChildProcess) {
  const [exitCode, signal] = await once(child, "exit");
  return { exitCode, signal };
}

test("a result far longer than a pipe reaches a reader that begins late", () =>
  withHome(async (home) => {
    const words = [process.execPath, CLI, "sql", LONG_QUERY, "--json", "--home", home.path];
    const { stdout } = await execa("sh", ["-c", '"$@" | (sleep 1; cat)', "sh", ...words]);
    expect(JSON.parse(stdout)).toMatchObject({ rows: [{ long: "x".repeat(LETTERS) }] });
  }));

test("a refusal far longer than a pipe is told to its end", () =>
  withHome(async (home) => {
    const name = "x".repeat(100_000);
    const words = [process.execPath, CLI, "runs", "show", name, "--json", "--home", home.path];
    const { stdout } = await execa("sh", ["-c", '"$@" 2>&1 >/dev/null | (sleep 1; cat)', "sh", ...words]);
    expect(JSON.parse(stdout)).toMatchObject({ refusal: { code: "UNKNOWN_RUN", got: `"${name}"` } });
  }));

test("a reader that goes away in the middle is no error", () =>
  withHome(async (home) => {
    const child = start(home, "sql", LONG_QUERY, "--json");
    const said = text(child.stderr);
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await endOf(child)).toEqual({ exitCode: 0, signal: null });
    expect(await said).toBe("");
  }));

test("a command whose result nobody reads ends with its own exit code", () =>
  withHome(async (home) => {
    writeFileSync(home.ledger, "{}\n");
    const child = start(home, "verify");
    child.stdout.destroy();
    expect(await endOf(child)).toEqual({ exitCode: 2, signal: null });
  }));

test("a command whose warnings nobody reads goes on, and gives its result", () =>
  withHome(async (home) => {
    const { run } = await writeSampleRun(home, { items: 1 });
    rmSync(home.runLog(run));
    const child = start(home, "sql", "SELECT count(*) AS n FROM runs", "--csv");
    child.stderr.destroy();
    const printed = text(child.stdout);
    expect(await endOf(child)).toEqual({ exitCode: 0, signal: null });
    expect(await printed).toBe("n\r\n0\r\n");
  }));

test("a program that waits for its reader ends by a signal at once", () =>
  withHome(async (home) => {
    const child = start(home, "sql", LONG_QUERY, "--json");
    await once(child.stdout, "readable");
    child.kill("SIGTERM");
    const asked = setInterval(() => child.kill("SIGTERM"), 500);
    expect(await endOf(child)).toEqual({ exitCode: null, signal: "SIGTERM" });
    clearInterval(asked);
  }));

test("a result that does not fit on the disk is a refusal", () =>
  withHome(async (home) => {
    const words = [process.execPath, CLI, "runs", "--home", home.path];
    const { exitCode, stderr } = await execa("sh", ["-c", '"$@" >/dev/full', "sh", ...words], { reject: false });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^DISK_FULL: /);
  }));
