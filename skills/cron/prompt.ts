/**
 * The prompts: what the five fields are, and the task. A worked example is the same with its fields as the answer, as
 * earlier turns.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Message } from "../../src/records/message.ts";
import { answerText } from "./parse-answer.ts";

const SYSTEM = "You write one cron schedule for the task. Reply with the five cron fields only.";

/** What there is to answer with: the same for every task. */
export const FIELDS_TEXT =
  "Cron fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12), day of week (0-6, Sunday is 0).";

/** Shapes: `fields` is `FIELDS_TEXT`. */
export function promptFor(words: string, fields: string): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: taskText(words, fields) },
  ];
}

/** A solved task as earlier turns of another task's conversation. */
export function exampleTurns(words: string, call: ActionCall): Message[] {
  return [
    { role: "user", content: taskText(words, FIELDS_TEXT) },
    { role: "assistant", content: answerText(call) },
  ];
}

function taskText(words: string, fields: string): string {
  return `${fields}\nTask: ${words}`;
}
