/**
 * JSON lines for TRL's KTO and BCO trainers: unpaired preference rows, each an answer with its label. These trainers take
 * the loss over the whole completion, so one with tool results or other untrained messages in it is refused.
 * Source: TRL, docs/source/kto_trainer.md.
 */
import type { AnswerRow } from "../../records/selection.ts";
import { type Column, fractionText, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { hasUntrained, ofAnswers, withObjectArguments } from "../message-forms.ts";
import { HEAD_COLUMNS, ORIGIN_COLUMNS } from "../provenance.ts";

const COLUMNS: readonly Column<AnswerRow & { id: string }>[] = [
  { name: "id", type: "text", json: (row) => jsonText(row.id) },
  { name: "prompt", type: "jsons", json: (row) => jsonText(row.prompt) },
  { name: "completion", type: "jsons", json: (row) => jsonText(row.completion) },
  { name: "label", type: "truth", json: (row) => jsonText(row.label) },
  { name: "tools", type: "text", json: (row) => jsonText(jsonText(row.tools)) },
  { name: "reward", type: "fraction", json: (row) => fractionText(row.reward) },
  ...HEAD_COLUMNS,
  ...ORIGIN_COLUMNS,
];

const format: DatasetFormat = {
  summary: "TRL (KTO, BCO): answers with their label, conversational",
  extension: "jsonl",
  tiers: ["judged"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["cannot-mask-a-step", "arguments-not-an-object", "arguments-lose-precision"],
  line: ofAnswers((row) => {
    if (hasUntrained(row, () => false)) return { refused: "cannot-mask-a-step" };
    const prompt = withObjectArguments(row.prompt);
    if ("refused" in prompt) return prompt;
    const completion = withObjectArguments(row.completion);
    if ("refused" in completion) return completion;
    return lineOf(COLUMNS, { ...row, prompt, completion });
  }),
};

export default format;
