/**
 * The prompts: the rule as the content describes it, and a bash script as the answer. A worked example is the same
 * task with its script, as earlier turns.
 */
import type { ActionCall } from "../../src/records/events.ts";
import type { Item } from "../../src/records/item.ts";
import type { Message } from "../../src/records/message.ts";
import { answerText } from "./parse-answer.ts";

const SYSTEM =
  "You write one short bash script that makes this Ubuntu host pass a security rule. It runs as root, without a network. Reply with the script only.";

export function promptFor(item: Item): Message[] {
  return [
    { role: "system", content: SYSTEM },
    { role: "user", content: item.task },
  ];
}

export function exampleTurns(item: Item, call: ActionCall): Message[] {
  return [
    { role: "user", content: item.task },
    { role: "assistant", content: answerText(call) },
  ];
}

export function taskText(title: string, description: string): string {
  return `Rule: ${title}\n${description}`;
}
