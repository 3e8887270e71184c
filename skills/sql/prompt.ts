/**
 * The prompts: the tables and the question. A worked example is the same task with its query as the answer, as earlier
 * turns: a small model that sees it inside the task's own message, or is left with a label like "SQL:", copies the task.
 */
import { join } from "node:path";
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";
import { fillTemplate, readTemplate } from "../../src/skills/template.ts";

const WORKER = readTemplate(join(import.meta.dirname, "prompts", "worker.md"), "worker", ["schema", "question"]);

/** Shapes: `schema` is CREATE TABLE text. */
export function promptFor(schema: string, question: string): Message[] {
  return fillTemplate(WORKER, { schema, question }).messages;
}

/** A solved task as earlier turns of another task's conversation. */
export function exampleTurns(schema: string, question: string, call: ActionCall): Message[] {
  const task = promptFor(schema, question).filter(({ role }) => role === "user");
  return [...task, { role: "assistant", content: String(call.arguments.query) }];
}
