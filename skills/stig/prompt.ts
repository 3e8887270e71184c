/**
 * The prompts: the rule as the content describes it, and a bash script as the answer. A worked example is the same
 * task with its script, as earlier turns.
 */
import { join } from "node:path";
import type { ActionCall } from "../../src/records/events.ts";
import type { Item } from "../../src/records/item.ts";
import type { Message } from "../../src/records/message.ts";
import { fillTemplate, readTemplate } from "../../src/skills/template.ts";
import { answerText } from "./parse-answer.ts";

const WORKER = readTemplate(join(import.meta.dirname, "prompts", "worker.md"), "worker", ["task"]);

/** The worker's prompt for an item. */
export function promptFor(item: Item): Message[] {
  return fillTemplate(WORKER, { task: item.task }).messages;
}

/** A task and the script that solved it, as two messages. */
export function exampleTurns(item: Item, call: ActionCall): Message[] {
  return [
    { role: "user", content: item.task },
    { role: "assistant", content: answerText(call) },
  ];
}

/** What an item's task says of its rule. */
export function taskText(title: string, description: string): string {
  return `Rule: ${title}\n${description}`;
}
