import { expect, it } from "vitest";
import { parseAnswer } from "../../../skills/sql/parse-answer.ts";

function queryIn(content: string): unknown {
  const parsed = parseAnswer({ role: "assistant", content });
  return "call" in parsed ? parsed.call.arguments.query : parsed.failureMode;
}

it.each([
  ["a bare query", "SELECT a FROM t;", "SELECT a FROM t"],
  ["a fenced query", "Here it is:\n```sql\nSELECT a\nFROM t;\n```\nIt lists a.", "SELECT a\nFROM t"],
  ["a fence without a language", "```\nSELECT 1\n```", "SELECT 1"],
  ["a fence that was cut off", "```sql\nSELECT a FROM t WHERE", "SELECT a FROM t WHERE"],
  ["the first of two fences", "```sql\nSELECT 1\n```\nor\n```sql\nSELECT 2\n```", "SELECT 1"],
  ["a fence of SQL behind one of another language", "```python\nprint(1)\n```\n```sql\nSELECT 2\n```", "SELECT 2"],
  ["a query with words behind it", "SELECT a FROM t; This query lists a.", "SELECT a FROM t"],
  ["a query that ends at a blank line", "SELECT a\nFROM t\n\nThe query above ...", "SELECT a\nFROM t"],
  ["a query behind prose that says select", "To select the titles, write:\nSELECT title FROM t", "SELECT title FROM t"],
  ["a query behind a label", "SQL: SELECT a FROM t", "SELECT a FROM t"],
  ["a query within a line", "The answer is SELECT a FROM t", "SELECT a FROM t"],
  ["a semicolon in a text", "SELECT a FROM t WHERE b = 'x;y'; done", "SELECT a FROM t WHERE b = 'x;y'"],
  ["a common table expression", "WITH x AS (SELECT 1) SELECT * FROM x;", "WITH x AS (SELECT 1) SELECT * FROM x"],
  ["small letters", "select a from t", "select a from t"],
  ["two statements in a fence, both", "```sql\nSELECT 1; DROP TABLE t;\n```", "SELECT 1; DROP TABLE t"],
  ["a fenced statement that is no query", "```sql\nDROP TABLE t;\n```", "DROP TABLE t"],
])("reads %s", (_, content, query) => {
  expect(queryIn(content)).toBe(query);
});

it.each([
  ["nothing", ""],
  ["blanks", " \n "],
  ["prose", "With pleasure: the answer is 42."],
  ["an empty fence", "```sql\n```"],
])("finds no SQL in %s", (_, content) => {
  expect(queryIn(content)).toBe("no-sql");
});

it("reads a message without content as one without SQL", () => {
  expect(parseAnswer({ role: "assistant", content: null })).toMatchObject({ failureMode: "no-sql" });
});
