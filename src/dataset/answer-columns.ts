/**
 * A row of one answer in TRL's columns, as JSON lines and as Parquet: prompt and completion as lists of messages, the
 * tools as JSON text (`null` where there are none), and where the row came from.
 *
 * TRL renders both lists over the tokenizer's own chat template, which wants a call's arguments as an object. A completion
 * with tool results in it has to be trained with `assistant_only_loss=True`, else they are trained on too; a step that
 * the model wrote and must not be trained on cannot be said.
 * Source: TRL, docs/source/dataset_formats.md and sft_trainer.md.
 */
import type { AnswerRow } from "../records/selection.ts";
import { type Column, fractionText, jsonText, lineOf } from "./columns.ts";
import { hasUntrained, ofAnswers, withObjectArguments } from "./message-forms.ts";
import { HEAD_COLUMNS, ORIGIN_COLUMNS } from "./provenance.ts";
import type { Reason } from "./reasons.ts";

export const ANSWER_COLUMNS: readonly Column<AnswerRow & { id: string }>[] = [
  { name: "id", type: "text", json: (row) => jsonText(row.id) },
  { name: "prompt", type: "jsons", json: (row) => jsonText(row.prompt) },
  { name: "completion", type: "jsons", json: (row) => jsonText(row.completion) },
  { name: "tools", type: "text", json: (row) => jsonText(jsonText(row.tools)) },
  { name: "reward", type: "fraction", json: (row) => fractionText(row.reward) },
  { name: "label", type: "truth", json: (row) => jsonText(row.label) },
  ...HEAD_COLUMNS,
  ...ORIGIN_COLUMNS,
];

export const ANSWER_REASONS: readonly Reason[] = [
  "cannot-mask-a-step",
  "arguments-not-an-object",
  "arguments-lose-precision",
];

export const answerLine = ofAnswers((row) => {
  if (hasUntrained(row, ({ role }) => role !== "assistant")) return { refused: "cannot-mask-a-step" };
  const prompt = withObjectArguments(row.prompt);
  if ("refused" in prompt) return prompt;
  const completion = withObjectArguments(row.completion);
  if ("refused" in completion) return completion;
  return lineOf(ANSWER_COLUMNS, { ...row, prompt, completion });
});
