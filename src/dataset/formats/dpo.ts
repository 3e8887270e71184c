/**
 * JSON lines for TRL's DPO and reward trainers: preference rows with the prompt said once (explicit), conversational,
 * and for either answer where it came from. `tier` tells how the pair came to be.
 * Source: TRL, docs/source/dataset_formats.md and dpo_trainer.md.
 */
import type { PairRow } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofPairs, withObjectArguments } from "../message-forms.ts";
import { HEAD_COLUMNS, originColumns } from "../provenance.ts";

interface Line extends Omit<PairRow, "chosen" | "rejected"> {
  id: string;
  chosen: object[];
  rejected: object[];
}

const COLUMNS: readonly Column<Line>[] = [
  { name: "id", type: "text", json: (row) => jsonText(row.id) },
  { name: "prompt", type: "jsons", json: (row) => jsonText(row.prompt) },
  { name: "chosen", type: "jsons", json: (row) => jsonText(row.chosen) },
  { name: "rejected", type: "jsons", json: (row) => jsonText(row.rejected) },
  { name: "tools", type: "text", json: (row) => jsonText(jsonText(row.tools)) },
  { name: "tier", type: "text", json: (row) => jsonText(row.kind) },
  ...HEAD_COLUMNS,
  ...originColumns<Line>("chosen_", (row) => row.chosenFrom),
  ...originColumns<Line>("rejected_", (row) => row.rejectedFrom),
];

const format: DatasetFormat = {
  summary: "TRL (DPO, reward models): preference pairs with an explicit prompt, conversational",
  extension: "jsonl",
  tiers: ["preference-pairs"],
  needsBase: false,
  columns: COLUMNS,
  reasons: ["arguments-not-an-object", "arguments-lose-precision"],
  line: ofPairs((row) => {
    const prompt = withObjectArguments(row.prompt);
    if ("refused" in prompt) return prompt;
    const chosen = withObjectArguments([row.chosen]);
    if ("refused" in chosen) return chosen;
    const rejected = withObjectArguments([row.rejected]);
    if ("refused" in rejected) return rejected;
    return lineOf(COLUMNS, { ...row, prompt, chosen, rejected });
  }),
};

export default format;
