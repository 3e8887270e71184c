/**
 * A format: how one training row is written. Every file of `formats/` is one, its file name is its id. All rows of a
 * format have the same keys in the same order and one type per column, so that a reader which infers a schema finds one.
 */
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { SelectedRow, Tier, Tokens } from "../records/selection.ts";
import type { ColumnShape } from "./columns.ts";
import type { Reason } from "./reasons.ts";

export type DatasetRow = SelectedRow & {
  /** Names this row's content: other texts from the same turn get another id. */
  id: string;
};

export interface DatasetFormat {
  /** What reads it, for people. */
  summary: string;
  /** File ending without the dot. The lines of `parquet` are JSON, of which a table is made at the end. */
  extension: "jsonl" | "parquet";
  tiers: readonly Tier[];
  /** Whether its rows are made of tokens, so that a base has to be named. */
  needsBase: boolean;
  columns: readonly ColumnShape[];
  /** Why it may refuse a row. */
  reasons: readonly Reason[];
  /** Contract: one JSON object without line break, the same for the same row; or why the row cannot be said in it. */
  line(row: DatasetRow, tokens: Tokens | null): string | { refused: Reason };
  /** Files beside the rows that its reader wants. */
  companions?(dataset: Pick<DatasetManifest, "counts">): { path: string; text: string }[];
}
