/**
 * The columns of `jsonl` as Parquet, with their Hugging Face features in the file itself, so that no reader infers them.
 */
import type { DatasetFormat } from "../format.ts";
import jsonl from "./jsonl.ts";

const format: DatasetFormat = {
  ...jsonl,
  summary: "the columns of jsonl as Parquet: TRL, Hugging Face datasets, DuckDB, pandas, Polars",
  extension: "parquet",
};

export default format;
