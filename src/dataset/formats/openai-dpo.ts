/**
 * OpenAI's lines for preference fine-tuning, which Together and Fireworks read too: the conversation, then the better
 * and the worse answer to it.
 * Source: OpenAI, direct preference optimization guide.
 */
import type { Tool } from "../../records/message.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofPairs } from "../message-forms.ts";
import { apiMessages } from "../openai-messages.ts";

interface Line {
  input: { messages: object[]; tools: Tool[]; parallel_tool_calls: boolean };
  preferred: object[];
  nonPreferred: object[];
}

const COLUMNS: readonly Column<Line>[] = [
  { name: "input", type: "json", json: ({ input }) => jsonText(input) },
  { name: "preferred_output", type: "jsons", json: ({ preferred }) => jsonText(preferred) },
  { name: "non_preferred_output", type: "jsons", json: ({ nonPreferred }) => jsonText(nonPreferred) },
];

const format: DatasetFormat = {
  summary: "OpenAI's preference fine-tuning, Together, Fireworks: input, preferred and non-preferred output",
  extension: "jsonl",
  tiers: ["preference-pairs"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["arguments-not-an-object", "call-without-id", "reasoning-is-lost"],
  line: ofPairs((row) => {
    const messages = apiMessages(row.prompt);
    if ("refused" in messages) return messages;
    const preferred = apiMessages([row.chosen]);
    if ("refused" in preferred) return preferred;
    const nonPreferred = apiMessages([row.rejected]);
    if ("refused" in nonPreferred) return nonPreferred;
    const input = { messages, tools: row.tools ?? [], parallel_tool_calls: true };
    return lineOf(COLUMNS, { input, preferred, nonPreferred });
  }),
};

export default format;
