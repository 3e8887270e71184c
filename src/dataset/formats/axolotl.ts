/**
 * Axolotl's `chat_template` conversations: every message says whether it is trained on. Arguments and a tool's parameters
 * are JSON text, which Axolotl parses before it renders: as objects a loader would give each the keys of all others.
 * Source: Axolotl, docs/dataset-formats/conversation.qmd and src/axolotl/prompt_strategies/chat_template.py.
 */
import type { Message, Tool } from "../../records/message.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers, reasoningOf, withObjectArguments, withTextArguments } from "../message-forms.ts";

interface Line {
  messages: object[];
  tools: object[] | null;
}

/** Without tools the column is null: Axolotl takes a list as tools to be shown, and a text not at all. */
const COLUMNS: readonly Column<Line>[] = [
  { name: "messages", type: "jsons", json: ({ messages }) => jsonText(messages) },
  { name: "tools", type: "jsons", isNullable: true, json: ({ tools }) => jsonText(tools) },
];

const entry = (part: string) => `  - path: ${part}.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    field_tools: tools
    message_property_mappings:
      role: role
      content: content
    message_field_training: train
    roles_to_train: []
    train_on_eos: turn
`;

const format: DatasetFormat = {
  summary: "Axolotl (type chat_template): messages that say whether they are trained on, with its YAML",
  extension: "jsonl",
  tiers: ["demonstrations"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["arguments-not-an-object", "arguments-lose-precision"],
  line: ofAnswers((row) => {
    const recorded = [...row.prompt, ...row.completion];
    const parseable = withObjectArguments(recorded);
    if ("refused" in parseable) return parseable;
    const messages = withTextArguments(recorded);
    if ("refused" in messages) return messages;
    const marked = messages.map((message, index) =>
      markedMessage(message, row.trained[index - row.prompt.length] === true),
    );
    return lineOf(COLUMNS, { messages: marked, tools: row.tools === null ? null : row.tools.map(markedTool) });
  }),
  companions: ({ counts }) => [
    {
      path: "axolotl.yaml",
      text: `# The part of an Axolotl config that reads this folder; paths are relative to where Axolotl is started.
chat_template: tokenizer_default
# An answer's last token is trained on where it is the tokenizer's eos_token. Where it is another, name it, as for Gemma 4:
# eot_tokens: ["<turn|>"]
datasets:
${entry("train")}${counts.validationRows > 0 ? `test_datasets:\n${entry("validation")}    split: train\n` : ""}`,
    },
  ],
};

function markedMessage(message: Message, train: boolean): object {
  const { role, content, name, tool_calls, tool_call_id } = message;
  const reasoning = reasoningOf(message);
  return {
    ...{ role, content: content ?? "", train },
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(name !== undefined && { name }),
    ...(tool_calls !== undefined && { tool_calls }),
    ...(tool_call_id !== undefined && { tool_call_id }),
  };
}

function markedTool({ type, function: { parameters, ...declared } }: Tool): object {
  return { type, function: { ...declared, ...(parameters !== undefined && { parameters: jsonText(parameters) }) } };
}

export default format;
