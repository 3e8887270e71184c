import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseCsv } from "../../../src/validate/ability/csv.ts";
import { readQuestions } from "../../../src/validate/ability/question-files.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-questions-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const refusal = (got: string) =>
  expect.objectContaining({
    code: "BAD_QUESTIONS",
    details: expect.objectContaining({ got: expect.stringContaining(got) }),
  });

describe("comma-separated values", () => {
  test("come back as they were written, whatever they hold", () => {
    const field = fc.oneof(fc.string(), fc.constantFrom("", ",", '"', "\n", "\r\n", 'a"b', "\uFEFF"));
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 1 }), { minLength: 1 }),
        fc.constantFrom("\n", "\r\n"),
        (rows, end) => {
          const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(",")).join(end) + end;
          expect(parseCsv(text)).toEqual(rows);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test("need no quotes and no last line end", () => {
    expect(parseCsv("a,b\r\n,c,\n")).toEqual([
      ["a", "b"],
      ["", "c", ""],
    ]);
    expect(parseCsv("a,")).toEqual([["a", ""]]);
    expect(parseCsv("a")).toEqual([["a"]]);
    expect(parseCsv("")).toEqual([]);
  });

  test("are none where a quote is not closed", () => {
    expect(parseCsv('a,"b\nc')).toBeNull();
  });
});

describe("a folder of questions", () => {
  test("may be the one that MMLU's archive unpacks to", async () => {
    await mkdir(join(folder, "data", "test"), { recursive: true });
    await writeFile(join(folder, "data", "test", "high_school_art_test.csv"), "Which?,1,2,3,4,D\nWho?,5,6,7,8,A\n");
    const questions = await readQuestions(folder);
    expect(questions.map(({ subject, number, answer }) => [subject, number, answer])).toEqual([
      ["high_school_art", 1, "D"],
      ["high_school_art", 2, "A"],
    ]);
  });

  test.each([
    ["Which?,1,2,3,4,E\n", 'the last "E"'],
    ["Which?,1,2,3,D\n", "5 fields"],
    ["Which?,1,,3,4,D\n", "6 fields"],
    ['"Which?,1,2,3,4,D\n', "not closed"],
  ])("is refused with its row where it holds %j", async (text, got) => {
    await writeFile(join(folder, "art_test.csv"), text);
    await expect(readQuestions(folder)).rejects.toThrow(refusal(got));
  });

  test("is refused where nothing in it has that layout", async () => {
    const none = expect.objectContaining({ code: "NO_QUESTIONS" });
    await expect(readQuestions(folder)).rejects.toThrow(none);
    await expect(readQuestions(join(folder, "nowhere"))).rejects.toThrow(none);
  });
});
