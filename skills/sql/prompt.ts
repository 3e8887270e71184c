/**
 * The prompts: the tables, the question, and what form the answer has. A worked example is the same with the query
 * in place of the last line. A small model that is left with a label like "SQL:" copies the task instead.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";

const LAST_LINE = "Answer with one SQL query that starts with SELECT.";
const SYSTEM = "You write one DuckDB SQL query that answers the question. Reply with the SQL query only.";

/** Shapes: `schema` is CREATE TABLE text. */
export function promptFor(schema: string, question: string): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: `${schema}\n${question}\n${LAST_LINE}` },
  ];
}

/** The text of a solved task for another task's prompt. */
export function exampleText(schema: string, question: string, call: ActionCall): string {
  return `${schema}\n${question}\n${String(call.arguments.query)}`;
}
