/**
 * The prompts: what the five fields are, and the task. A worked example is the same with its fields as the answer, as
 * earlier turns.
 */
import { join } from "node:path";
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";
import { fillTemplate, readTemplate } from "../../src/skills/template.ts";
import { answerText } from "./parse-answer.ts";

const WORKER = readTemplate(join(import.meta.dirname, "prompts", "worker.md"), "worker", ["fields", "words"]);

/** What there is to answer with: the same for every task. */
export const FIELDS_TEXT = "minute, hour, day of month, month, day of week";

/** Shapes: `fields` is `FIELDS_TEXT`. */
export function promptFor(words: string, fields: string): Message[] {
  return fillTemplate(WORKER, { words, fields }).messages;
}

/** A solved task as earlier turns of another task's conversation. */
export function exampleTurns(words: string, call: ActionCall): Message[] {
  const task = promptFor(words, FIELDS_TEXT).filter(({ role }) => role === "user");
  return [...task, { role: "assistant", content: answerText(call) }];
}
