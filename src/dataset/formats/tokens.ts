/**
 * Token ids and labels as the one renderer makes them, for trainers that take tokenised rows and so cannot render them
 * otherwise: TRL with `skip_prepare_dataset`, Axolotl with an empty `type`. A label is -100 where no loss lies. The
 * columns are the three that Axolotl looks for and no others; `tokens/train.parquet` names the row of each.
 * Source: Axolotl, docs/dataset-formats/tokenized.qmd; TRL, docs/source/sft_trainer.md.
 */
import { assert } from "../../foundation/errors.ts";
import type { Tokens } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofAnswers } from "../message-forms.ts";

const NO_LOSS = -100;

const COLUMNS: readonly Column<Tokens>[] = [
  { name: "input_ids", type: "numbers", json: ({ ids }) => jsonText(ids) },
  { name: "attention_mask", type: "numbers", json: ({ ids }) => jsonText(ids.map(() => 1)) },
  {
    name: "labels",
    type: "numbers",
    json: ({ ids, mask }) => jsonText(ids.map((id, at) => (mask[at] ? id : NO_LOSS))),
  },
];

const format: DatasetFormat = {
  summary: "TRL and Axolotl as tokenised rows: input_ids, attention_mask, labels",
  extension: "jsonl",
  tiers: ["demonstrations"],
  needsBase: true,
  columns: COLUMNS,
  reasons: [],
  line: ofAnswers((_, tokens) => {
    assert(tokens !== null, "tokens of a row whose format needs a base");
    return lineOf(COLUMNS, tokens);
  }),
};

export default format;
