import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeServerLog, serverLog } from "../../src/serve/server-log.ts";

/** Above what systems give to processes. */
const NO_PID = 2 ** 30;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-log-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("a log begins anew past its size and keeps what was said before beside it", () => {
  const path = join(folder, "logs", "vllm-1.log");
  const log = serverLog(path, 10);
  for (const text of ["first ", "more ", "last"]) log.write(text);
  expect([readFileSync(`${path}.old`, "utf8"), readFileSync(path, "utf8")]).toEqual(["first ", "more last"]);
  removeServerLog(path);
  expect(readdirSync(join(folder, "logs"))).toEqual([]);
});

test("of the logs of processes that are gone only the newest stay", () => {
  for (let i = 0; i < 6; i++) {
    const path = join(folder, `vllm-${NO_PID + i}.log`);
    writeFileSync(path, "said");
    utimesSync(path, 1000 + i, 1000 + i);
  }
  writeFileSync(join(folder, `vllm-${process.pid}.log`), "of one that lives");
  serverLog(join(folder, "vllm-2.log"));
  const left = [3, 4, 5].map((i) => `vllm-${NO_PID + i}.log`);
  expect(readdirSync(folder).filter((name) => /-\d{6,}\.log$/.test(name) && name.includes("107374"))).toEqual(left);
  expect(existsSync(join(folder, `vllm-${process.pid}.log`))).toBe(true);
});
