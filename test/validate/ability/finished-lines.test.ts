import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { openFinishedLines } from "../../../src/validate/ability/finished-lines.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-finished-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("finished work is there again, with texts of any kind", () => {
  const file = join(folder, "deep", "work.jsonl");
  const first = openFinishedLines(file, z.string());
  first.add("a", "one\n\u0000two \u{1F375}");
  first.add("b", "");
  first.close();
  const again = openFinishedLines(file, z.string());
  expect([...again.values]).toEqual([
    ["a", "one\n\u0000two \u{1F375}"],
    ["b", ""],
  ]);
  again.close();
});

test("a torn tail is cut off, a line that does not fit is passed over, and what comes next stands on a line of its own", async () => {
  const file = join(folder, "work.jsonl");
  const good = '{"key":"a","value":1}\n';
  await writeFile(file, `${good}{"key":"b","value":"no number"}\nnot JSON\n{"key":"c","val`);
  const lines = openFinishedLines(file, z.number());
  expect([...lines.values]).toEqual([["a", 1]]);
  lines.add("c", 3);
  lines.close();
  expect((await readFile(file, "utf8")).endsWith('not JSON\n{"key":"c","value":3}\n')).toBe(true);
  const again = openFinishedLines(file, z.number());
  expect(again.values.get("c")).toBe(3);
  again.close();
});
