/**
 * The prompts: the tables and the question. A worked example is the same task with its query as the answer, as earlier
 * turns: a small model that sees it inside the task's own message, or is left with a label like "SQL:", copies the task.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";

const SYSTEM = "You write one DuckDB SQL query that answers the question. Reply with the SQL query only.";

/** Shapes: `schema` is CREATE TABLE text. */
export function promptFor(schema: string, question: string): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: taskText(schema, question) },
  ];
}

/** A solved task as earlier turns of another task's conversation. */
export function exampleTurns(schema: string, question: string, call: ActionCall): Message[] {
  return [
    { role: "user", content: taskText(schema, question) },
    { role: "assistant", content: String(call.arguments.query) },
  ];
}

function taskText(schema: string, question: string): string {
  return `${schema}\nQuestion: ${question}`;
}
