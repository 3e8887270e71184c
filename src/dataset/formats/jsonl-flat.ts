/**
 * Three plain columns, `prompt`, `response` and `reward`, for trainers that know texts only.
 *
 * The prompt is the contents of its system and user messages, joined by an empty line; the response is the answer's
 * content and then each tool call as `{"name":...,"arguments":...}`, a line each. Tools are not written. A prompt that
 * holds answers or tool results is refused, as one text would not say who speaks.
 */
import type { Message } from "../../records/message.ts";
import type { AnswerRow } from "../../records/selection.ts";
import { type Column, fractionText, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers, reasoningOf, withObjectArguments } from "../message-forms.ts";

const COLUMNS: readonly Column<AnswerRow>[] = [
  {
    name: "prompt",
    type: "text",
    json: (row) => jsonText(row.prompt.map(({ content }) => content ?? "").join("\n\n")),
  },
  { name: "response", type: "text", json: (row) => jsonText(row.completion.map(plainAnswer).join()) },
  { name: "reward", type: "fraction", json: (row) => fractionText(row.reward) },
];

const format: DatasetFormat = {
  summary: "any trainer of plain texts: prompt, response, reward",
  extension: "jsonl",
  tiers: ["demonstrations", "judged"],
  needsBase: false,
  columns: COLUMNS,
  reasons: [
    "several-messages",
    "dialogue-is-not-flat",
    "cannot-mask-a-step",
    "reasoning-is-lost",
    "arguments-not-an-object",
    "arguments-lose-precision",
  ],
  line: ofAnswers((row) => {
    if (row.completion.length !== 1) return { refused: "several-messages" };
    if (row.trained[0] !== true) return { refused: "cannot-mask-a-step" };
    if (row.prompt.some(({ role }) => role !== "system" && role !== "user")) return { refused: "dialogue-is-not-flat" };
    if (row.completion.some(reasoningOf)) return { refused: "reasoning-is-lost" };
    const completion = withObjectArguments(row.completion);
    return "refused" in completion ? completion : lineOf(COLUMNS, { ...row, completion });
  }),
};

function plainAnswer({ content, tool_calls = [] }: Message): string {
  const calls = tool_calls.map(({ function: { name, arguments: given } }) => jsonText({ name, arguments: given }));
  return [...(content ? [content] : []), ...calls].join("\n");
}

export default format;
