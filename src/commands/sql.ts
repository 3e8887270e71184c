/**
 * `tracemill sql`: runs a query that only reads the lake. Rows come as they are produced; a table on the screen ends after
 * what a person reads, `--csv` and `--json` give every row.
 */
import { once } from "node:events";
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { printable } from "../foundation/printable.ts";
import { warn } from "../foundation/progress.ts";
import { textTable } from "../foundation/text-table.ts";
import type { Row } from "../store/duckdb.ts";
import { type LakeQuery, queryLake } from "../store/sql.ts";
import { type Context, defineCommand } from "./command.ts";

const SHOWN_ROWS = 200;

interface Rows {
  columns: string[];
  rows: Row[];
  isCut: boolean;
}

export default defineCommand({
  summary: "Ask the lake: one SQL query, reading only.",
  details: `Tables: runs, items, attempts, turns, messages, tools, verdicts, tips, retrievals, architect_choices, examples; and
the same for one skill under its name. Example: tracemill sql "SELECT family, avg(eval_passed::INT) FROM sql.attempts GROUP BY family"`,
  positional: ["query"],
  input: z.object({
    query: z.string().describe("one SELECT statement (DuckDB's SQL)"),
    csv: z.boolean().default(false).describe("print every row as CSV"),
  }),
  async run({ query, csv }, context) {
    const { home, signal, stdout, isJson } = context;
    const result = await queryLake(home, query, signal);
    const { missing } = result;
    if (missing.length > 0) {
      warn(`The log is gone of: ${missing.join(", ")}. \`tracemill verify\` says more.`, context);
    }
    try {
      if (csv) return await printCsv(result, stdout);
      return await readRows(result, isJson ? Number.POSITIVE_INFINITY : SHOWN_ROWS);
    } finally {
      result.close();
    }
  },
  print: (result) => (result === null ? "" : table(result)),
});

async function readRows({ columns, batches }: LakeQuery, limit: number): Promise<Rows> {
  const rows: Row[] = [];
  for await (const batch of batches) {
    rows.push(...batch.slice(0, limit + 1 - rows.length));
    if (rows.length > limit) break;
  }
  return { columns, rows: rows.slice(0, limit), isCut: rows.length > limit };
}

async function printCsv({ columns, batches }: LakeQuery, stdout: Context["stdout"]): Promise<null> {
  const print = async (lines: string[]) => {
    const text = lines.map((line) => `${line}\r\n`).join("");
    if (!stdout.write(stdout.isTTY ? printable(text) : text)) await once(stdout, "drain");
  };
  await print([columns.map(csvCell).join(",")]);
  for await (const rows of batches) {
    await print(rows.map((row) => columns.map((column) => csvCell(cellText(row[column]))).join(",")));
  }
  return null;
}

function table({ columns, rows, isCut }: Rows): string {
  const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
  const rest = isCut ? `\nThese are the first ${SHOWN_ROWS} rows; --csv prints all.` : "";
  return `${textTable(columns, cells)}\n${counted(rows.length, "row")}${rest}`;
}

function cellText(value: Row[string] | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Source: RFC 4180. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
