/**
 * What the program says when something is wrong before or around a command: one refusal, no stack.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PACKAGE_FOLDER } from "../src/foundation/package-folder.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracemill-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tracemill = (words: string[], env: Record<string, string> = {}) =>
  execa(process.execPath, [join(PACKAGE_FOLDER, "bin", "tracemill.js"), ...words], { reject: false, env });

test.each([["runs"], ["verify"], ["status"]])(
  "a home that is a file is refused by %s without a stack",
  async (name) => {
    const home = join(folder, "file");
    writeFileSync(home, "text");
    const { exitCode, stderr } = await tracemill([name, "--home", home]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^NOT_A_FOLDER: .*\n {2}got: .*\n {2}where: .*file\/.*\n {2}fix: [^\n]*$/);
  },
);

test("with --json a refusal is one line of JSON on stderr, wherever it comes from", async () => {
  for (const words of [
    ["lop", "--json"],
    ["--json", "runs"],
    ["runs", "show", "nope", "--json", "--home", folder],
  ]) {
    const { exitCode, stdout, stderr } = await tracemill(words);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ refusal: { code: expect.stringMatching(/^(UNKNOWN|NO)_[A-Z]+$/) } });
  }
});

test("a name with terminal escapes is shown, not obeyed", async () => {
  const { exitCode, stderr } = await tracemill(["run", "--skill", "a\u001b[31mb", "--model", "m", "--home", folder]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('There is no skill named "a\ufffd[31mb".');
});

test("a loop without Python is refused before its first stage, with the command that makes it", async () => {
  const home = join(folder, "no-python");
  const { exitCode, stderr } = await tracemill(["loop", "--home", home], { TRACEMILL_PYTHON: join(folder, "nowhere") });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^NO_PYTHON: [\s\S]*fix: {6}make setup/);
  expect(readdirSync(folder)).not.toContain("no-python");
});

test("a second loop on one home is refused while the first lives", async () => {
  const home = join(folder, "looping");
  mkdirSync(home);
  writeFileSync(join(home, "loop.lock"), `${process.pid}\n`);
  const { exitCode, stderr } = await tracemill(["loop", "--home", home], { TRACEMILL_PYTHON: process.execPath });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`process ${process.pid} holds the lock`);
  expect(readdirSync(home)).toEqual(["loop.lock"]);
});
