/**
 * Tasks alone, for a trainer that asks the model itself (TRL's GRPO, RLOO): the prompt, the tools, and what a reward
 * function needs to judge an answer by the same verifier.
 * Source: TRL, docs/source/dataset_formats.md (prompt-only).
 */
import type { AnswerRow } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers, withObjectArguments } from "../message-forms.ts";

const COLUMNS: readonly Column<AnswerRow & { id: string }>[] = [
  { name: "id", type: "text", json: (row) => jsonText(row.id) },
  { name: "prompt", type: "jsons", json: (row) => jsonText(row.prompt) },
  { name: "tools", type: "text", json: (row) => jsonText(jsonText(row.tools)) },
  { name: "reference", type: "text", json: (row) => jsonText(row.reference ?? "null") },
  { name: "verifier_id", type: "text", json: (row) => jsonText(row.verifierId) },
  { name: "skill", type: "text", json: (row) => jsonText(row.skill) },
  { name: "family", type: "text", json: (row) => jsonText(row.family) },
  { name: "item", type: "text", json: (row) => jsonText(row.item) },
];

const format: DatasetFormat = {
  summary: "TRL (GRPO, RLOO) and other online trainers: prompts with the verifier's reference, no answers",
  extension: "jsonl",
  tiers: ["prompts"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["arguments-not-an-object", "arguments-lose-precision"],
  line: ofAnswers((row) => {
    const prompt = withObjectArguments(row.prompt);
    return "refused" in prompt ? prompt : lineOf(COLUMNS, { ...row, prompt });
  }),
};

export default format;
