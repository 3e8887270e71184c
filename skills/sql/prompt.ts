/**
 * The prompts. A task and a worked example have the same form, so that an example shows what an answer looks like.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";

const SYSTEM = "You write one DuckDB SQL query that answers the question. Reply with the SQL query only.";

/** Shapes: `schema` is CREATE TABLE text. */
export function promptFor(schema: string, question: string): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: promptText(schema, question) },
  ];
}

/** The text of a solved task for another task's prompt. */
export function exampleText(schema: string, question: string, call: ActionCall): string {
  return `${promptText(schema, question)} ${String(call.arguments.query)}`;
}

function promptText(schema: string, question: string): string {
  return `${schema}\nQuestion: ${question}\nSQL:`;
}
