/**
 * The columns of `jsonl` as Parquet, with their Hugging Face features in the file itself, so that no reader infers them.
 */
import { ANSWER_COLUMNS, ANSWER_REASONS, answerLine } from "../answer-columns.ts";
import type { DatasetFormat } from "../format.ts";

const format: DatasetFormat = {
  summary: "the columns of jsonl as Parquet: TRL, Hugging Face datasets, DuckDB, pandas, Polars",
  extension: "parquet",
  tiers: ["demonstrations", "judged"],
  needsBase: false,
  columns: ANSWER_COLUMNS,
  reasons: ANSWER_REASONS,
  line: answerLine,
};

export default format;
