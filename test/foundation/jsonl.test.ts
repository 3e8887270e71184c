import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFrom, readLastLine, readLines, readLinesBetween } from "../../src/foundation/jsonl.ts";

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracemill-"));
  path = join(folder, "lines");
});
afterAll(() => rmSync(folder, { recursive: true }));

const linesOf = (file: string, limitBytes?: number) =>
  Array.from(readLines(file, limitBytes), (line) => ({ ...line, bytes: line.bytes === null ? null : `${line.bytes}` }));

test("lines put together again with their newlines are the file", () => {
  const content = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constant("\n"), fc.constant("x".repeat(5000))));
  fc.assert(
    fc.property(content, (chunks) => {
      const bytes = Buffer.from(chunks.join(""));
      writeFileSync(path, bytes);
      let at = 0;
      let number = 0;
      const parts = Array.from(readLines(path), (line) => {
        expect([line.startByte, line.number]).toEqual([at, ++number]);
        at += (line.bytes?.length ?? 0) + 1;
        return Buffer.concat([line.bytes ?? Buffer.alloc(0), Buffer.from(line.isComplete ? "\n" : "")]);
      });
      expect(Buffer.concat(parts)).toEqual(bytes);
    }),
  );
});

test("the lines of a part are those of the file, numbered from the part's first one", () => {
  writeFileSync(path, `one\n${"two".repeat(1 << 19)}\nthree\nfour`);
  const [, second, , fourth] = Array.from(readLines(path), ({ startByte }) => startByte);
  const part = Array.from(readLinesBetween(path, second as number, fourth as number), (line) => ({
    ...line,
    bytes: line.bytes?.length,
  }));
  expect(part).toEqual([
    { number: 1, startByte: second, bytes: 3 << 19, isComplete: true },
    { number: 2, startByte: (fourth as number) - 6, bytes: 5, isComplete: true },
  ]);
});

test("a line longer than a chunk comes in one piece", () => {
  const long = "ab".repeat(3 << 20);
  writeFileSync(path, `first\n${long}\nlast`);
  expect(linesOf(path).map(({ bytes, isComplete }) => [bytes?.length, isComplete])).toEqual([
    [5, true],
    [6 << 20, true],
    [4, false],
  ]);
});

test("a line longer than the limit has no bytes, and the lines after it are read", () => {
  const limit = 2 << 20;
  writeFileSync(path, `first\n${"a".repeat(5 << 20)}\nsecond\n${"b".repeat(limit + 1)}\n${"c".repeat(limit)}\n`);
  expect(linesOf(path, limit).map(({ bytes, startByte }) => [bytes?.length ?? null, startByte])).toEqual([
    [5, 0],
    [null, 6],
    [6, 6 + (5 << 20) + 1],
    [null, 14 + (5 << 20)],
    [limit, 16 + (5 << 20) + limit],
  ]);
});

test("a file without end of line that is longer than the limit is one line without bytes", () => {
  writeFileSync(path, Buffer.alloc(5 << 20));
  expect(linesOf(path, 1 << 20)).toEqual([{ number: 1, startByte: 0, bytes: null, isComplete: false }]);
});

test("a file that is not there has no lines", () => {
  expect(linesOf(join(folder, "nothing"))).toEqual([]);
  expect(readLastLine(join(folder, "nothing"))).toEqual({ bytes: null, endByte: 0 });
});

test("the last whole line is found from the end, whatever follows it", () => {
  const last = "z".repeat(200_000);
  for (const [content, expected] of [
    ["", [null, 0]],
    ["torn", [null, 0]],
    ["one\n", ["one", 4]],
    ["one\ntwo\ntorn", ["two", 8]],
    [`one\n${last}\ntorn`, [last, 200_005]],
  ] as const) {
    writeFileSync(path, content);
    const { bytes, endByte } = readLastLine(path);
    expect([bytes === null ? null : `${bytes}`, endByte]).toEqual(expected);
  }
});

test("the rest of a file is read from a byte on", () => {
  writeFileSync(path, "one\ntwö");
  expect(readFrom(path, 4)).toBe("twö");
});

test("lines that come through a pipe are those of what was written to it", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const said = "(echo one; sleep 0.1; head -c 200000 /dev/zero | tr '\\0' x; printf '\\ntwo') > \"$0\"";
  spawn("sh", ["-c", said, pipe]);
  expect(linesOf(pipe).map(({ bytes }) => bytes)).toEqual(["one", "x".repeat(200_000), "two"]);
});
