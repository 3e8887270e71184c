/**
 * LLaMA-Factory's ShareGPT conversations with the `dataset_info.json` that it looks a dataset up in.
 *
 * Its reader takes human or observation at odd places and gpt or function_call at even ones, empties a row that does not
 * without a word, and trains on every answer of a row: so rows that alternate otherwise, and rows with an answer that is
 * not to be trained on, are refused. A function call is JSON text, and the reader wants its arguments as an object.
 * Source: LLaMA-Factory, data/README.md and src/llamafactory/data/converter.py.
 */
import type { Message } from "../../records/message.ts";
import type { AnswerRow } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers, type Refused, reasoningOf, withObjectArguments } from "../message-forms.ts";

interface Turn {
  from: "human" | "gpt" | "function_call" | "observation";
  value: string;
}

interface Line {
  conversations: Turn[];
  system: string;
  tools: string;
}

const COLUMNS: readonly Column<Line>[] = [
  { name: "conversations", type: "jsons", json: ({ conversations }) => jsonText(conversations) },
  { name: "system", type: "text", json: ({ system }) => jsonText(system) },
  { name: "tools", type: "text", json: ({ tools }) => jsonText(tools) },
];

const entry = (part: string) => ({
  file_name: `${part}.jsonl`,
  formatting: "sharegpt",
  columns: { messages: "conversations", system: "system", tools: "tools" },
});

const format: DatasetFormat = {
  summary: "LLaMA-Factory (formatting sharegpt): alternating conversations, with its dataset_info.json",
  extension: "jsonl",
  tiers: ["demonstrations"],
  needsBase: false,
  columns: COLUMNS,
  reasons: [
    "roles-do-not-alternate",
    "cannot-mask-a-step",
    "text-beside-a-call",
    "reasoning-is-lost",
    "arguments-not-an-object",
    "arguments-lose-precision",
  ],
  line: ofAnswers((row) => {
    const messages = withObjectArguments([...row.prompt, ...row.completion]);
    if ("refused" in messages) return messages;
    const untrained = messages.findIndex((message, at) => isUntrainedAnswer(row, message, at));
    if (untrained >= 0) return { refused: "cannot-mask-a-step" };
    if (messages.some(reasoningOf)) return { refused: "reasoning-is-lost" };
    const system = messages[0]?.role === "system" ? (messages[0].content ?? "") : null;
    const conversations = alternating(system === null ? messages : messages.slice(1));
    if ("refused" in conversations) return conversations;
    const tools = row.tools === null ? "" : jsonText(row.tools.map(({ function: declared }) => declared));
    return lineOf(COLUMNS, { conversations, system: system ?? "", tools });
  }),
  companions: ({ counts }) => [
    {
      path: "dataset_info.json",
      text: `${JSON.stringify(
        {
          tracemill_train: entry("train"),
          ...(counts.validationRows > 0 && { tracemill_validation: entry("validation") }),
        },
        null,
        2,
      )}\n`,
    },
  ],
};

function isUntrainedAnswer({ prompt, trained }: AnswerRow, { role }: Message, at: number): boolean {
  return role === "assistant" && trained[at - prompt.length] !== true;
}

function alternating(messages: Message[]): Turn[] | Refused {
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.content && (message.tool_calls ?? []).length > 0) return { refused: "text-beside-a-call" };
    const turn = turnOf(message);
    const isAnswer = turn?.from === "gpt" || turn?.from === "function_call";
    if (turn === null || isAnswer !== (turns.length % 2 === 1)) return { refused: "roles-do-not-alternate" };
    turns.push(turn);
  }
  return turns.length % 2 === 0 ? turns : { refused: "roles-do-not-alternate" };
}

/** Null for a role that has no place behind the first message. */
function turnOf({ role, content, tool_calls = [] }: Message): Turn | null {
  if (role === "user") return { from: "human", value: content ?? "" };
  if (role === "tool") return { from: "observation", value: content ?? "" };
  if (role !== "assistant") return null;
  if (tool_calls.length === 0) return { from: "gpt", value: content ?? "" };
  const calls = tool_calls.map(({ function: { name, arguments: given } }) => ({ name, arguments: given }));
  return { from: "function_call", value: jsonText(calls.length === 1 ? calls[0] : calls) };
}

export default format;
