import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaNode } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { acquireLock } from "../../src/foundation/lock-file.ts";

let folder: string;
let lock: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracemill-"));
  lock = join(folder, "lock");
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a lock names its owner and is gone when it is given back", () => {
  const release = acquireLock(lock, "The thing");
  expect(readFileSync(lock, "utf8").split("\n")[0]).toBe(String(process.pid));
  release();
  expect(existsSync(lock)).toBe(false);
});

test("a lock whose owner lives is refused with the owner's process id", () => {
  const release = acquireLock(lock, "The thing");
  expect(() => acquireLock(lock, "The thing")).toThrow(
    expect.objectContaining({
      code: "LOCKED",
      details: expect.objectContaining({ got: `process ${process.pid} holds the lock` }),
    }),
  );
  release();
});

test("a lock whose owner is gone, or that names none, is taken over", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  for (const content of [`${pid}\n`, "", "garbage"]) {
    writeFileSync(lock, content);
    acquireLock(lock, "The thing")();
    expect(existsSync(lock)).toBe(false);
  }
});

test("a lock whose owner's process id was given to another process is taken over", () => {
  writeFileSync(lock, `${process.pid}\n1\n`);
  acquireLock(lock, "The thing")();
  expect(existsSync(lock)).toBe(false);
});

test("of many processes that want a lock again and again only one has it at a time", async () => {
  const counter = join(folder, "counter");
  writeFileSync(counter, "0");
  const script = join(import.meta.dirname, "lock-contender.ts");
  await Promise.all(Array.from({ length: 4 }, () => execaNode(script, [lock, counter, "50"])));
  expect(readFileSync(counter, "utf8")).toBe("200");
});
