/**
 * Reads the one SQL query from a model's answer: the first fenced block that holds SQL, or else the text from the
 * first SELECT or WITH to its semicolon, a blank line or the end. A block is taken whole, so that a second statement
 * in it is seen and refused, not dropped.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";
import type { ParsedAnswer } from "../../src/skills/contract.ts";

const FENCE = /```[ \t]*(\w*)[^\n]*\n?([\s\S]*?)(?:```|$)/g;
const STATEMENT = /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COPY|ATTACH|PRAGMA|SET|CALL|FROM)\b/i;
const QUERY_START = /\bSELECT\b|\bWITH\s+(?:RECURSIVE\s+)?[\w"]+\s*(?:\([^)]*\)\s*)?AS\s*\(/gi;

/** Reads the query of an answer, or says that there is none. */
export function parseAnswer(answer: Message): ParsedAnswer {
  const text = answer.content ?? "";
  const query = fenced(text) ?? plain(text);
  if (query === null || query === "") return { failureMode: "no-sql", reason: "the answer holds no SELECT" };
  return { call: queryCall(query) };
}

/** Writes a query as the shortest answer from which it is read back: fenced only where it could not stand alone. */
export function answerText({ arguments: { query } }: ActionCall): string {
  const text = String(query);
  const read = parseAnswer({ role: "assistant", content: text });
  return "call" in read && read.call.arguments.query === text ? text : `\`\`\`sql\n${text}\n\`\`\``;
}

function fenced(text: string): string | null {
  for (const [, language = "", body = ""] of text.matchAll(FENCE)) {
    if (/^(sql|duckdb)?$/i.test(language) && STATEMENT.test(body)) return withoutEnd(body);
  }
  return null;
}

/** A query at the start of a line is preferred: "select" is also a word. */
function plain(text: string): string | null {
  const starts = [...text.matchAll(QUERY_START)].map((match) => match.index);
  const start =
    starts.find((index) => /(^|\n)[\s>*-]*(SQL|Answer|Query)?:?\s*$/i.test(text.slice(0, index))) ?? starts[0];
  return start === undefined ? null : withoutEnd(firstStatement(text.slice(start)));
}

/** The text up to a semicolon or blank line outside of quotes. */
function firstStatement(text: string): string {
  const tokens = text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|;|\n[ \t]*\n|```/g);
  for (const { 0: token, index } of tokens) {
    if (!/^['"]/.test(token)) return text.slice(0, index);
  }
  return text;
}

function withoutEnd(query: string): string {
  return query.trim().replace(/[;\s]+$/, "");
}

/** The one action of this skill. */
export function queryCall(query: string): ActionCall {
  return { name: "run_sql", arguments: { query } };
}
