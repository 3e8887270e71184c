/**
 * OpenAI's chat fine-tuning lines, which Azure, Together, Fireworks and NeMo read too: whole conversations, the answers
 * that are not trained on with weight 0. Arguments are JSON text and every call has the id that its result names.
 * Source: OpenAI, supervised fine-tuning guide (messages, `weight`, tools).
 */
import type { Tool } from "../../records/message.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers } from "../message-forms.ts";
import { apiMessages } from "../openai-messages.ts";

interface Line {
  messages: object[];
  tools: Tool[];
}

const COLUMNS: readonly Column<Line>[] = [
  { name: "messages", type: "jsons", json: ({ messages }) => jsonText(messages) },
  { name: "tools", type: "jsons", json: ({ tools }) => jsonText(tools) },
];

const format: DatasetFormat = {
  summary: "OpenAI's chat fine-tuning and services that take its files: messages with a weight, tools",
  extension: "jsonl",
  tiers: ["demonstrations"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["arguments-not-an-object", "call-without-id", "reasoning-is-lost", "no-answer-last"],
  line: ofAnswers((row) => {
    if (row.completion.at(-1)?.role !== "assistant") return { refused: "no-answer-last" };
    const messages = apiMessages([...row.prompt, ...row.completion]);
    if ("refused" in messages) return messages;
    const weighted = messages.map((message, index) =>
      message.role === "assistant"
        ? { ...message, weight: row.trained[index - row.prompt.length] === true ? 1 : 0 }
        : message,
    );
    return lineOf(COLUMNS, { messages: weighted, tools: row.tools ?? [] });
  }),
};

export default format;
