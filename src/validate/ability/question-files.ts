/**
 * Questions in the layout of MMLU: one CSV file without header for each subject, a row being question, four options and the
 * letter of the right one.
 * Source: Hendrycks et al. 2021, arXiv:2009.03300; its `data/test/<subject>_test.csv`.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../../foundation/errors.ts";
import { namesInFolder } from "../../foundation/names-in-folder.ts";
import { LETTERS, type Letter, type Question } from "./choices.ts";
import { parseCsv } from "./csv.ts";

const SUFFIX = "_test.csv";
/** Where the questions lie in a folder that is named: itself, or as MMLU's own archive has it. */
const PLACES = ["", "test", "data/test"];
const COLUMNS = 2 + LETTERS.length;
const MOST_FILE_BYTES = 16 << 20;

/**
 * Reads the questions of a folder, subject by subject in the order of their names.
 * Throws: `NO_QUESTIONS`, `BAD_QUESTIONS`.
 */
export async function readQuestions(folder: string): Promise<Question[]> {
  for (const place of PLACES) {
    const path = join(folder, place);
    const names = (await namesInFolder(path)).filter((name) => name.endsWith(SUFFIX)).sort();
    if (names.length === 0) continue;
    return (await Promise.all(names.map((name) => readSubject(path, name)))).flat();
  }
  throw new Refusal({
    code: "NO_QUESTIONS",
    message: "There are no questions in MMLU's layout.",
    expected: `files *${SUFFIX} in the folder, in its test/ or in its data/test/`,
    where: folder,
    fix: "unpack MMLU's data.tar there, or name the folder that it was unpacked to",
  });
}

async function readSubject(folder: string, name: string): Promise<Question[]> {
  const path = join(folder, name);
  const { size } = await stat(path);
  if (size > MOST_FILE_BYTES) throw bad(path, `at most ${MOST_FILE_BYTES} bytes`, `${size} bytes`);
  const rows = parseCsv(await readFile(path, "utf8"));
  if (rows === null) throw bad(path, "comma-separated values", "a quote that is not closed");
  const subject = name.slice(0, -SUFFIX.length);
  return rows.map((row, index) => {
    const [question = "", A = "", B = "", C = "", D = "", last = ""] = row;
    const answer = LETTERS.find((letter) => letter === last.trim());
    if (row.length !== COLUMNS || answer === undefined || [question, A, B, C, D].includes("")) {
      throw bad(`${path}, row ${index + 1}`, "question, A, B, C, D and a letter from A to D", shownRow(row));
    }
    return { subject, number: index + 1, question, options: { A, B, C, D }, answer: answer as Letter };
  });
}

function shownRow(row: readonly string[]): string {
  return `${row.length} fields, the last "${(row.at(-1) ?? "").slice(0, 20).toWellFormed()}"`;
}

function bad(where: string, expected: string, got: string): Refusal {
  return new Refusal({ code: "BAD_QUESTIONS", message: "A file of questions cannot be read.", expected, got, where });
}
