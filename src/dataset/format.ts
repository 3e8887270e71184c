/**
 * A format: how one training row is written. Every file of `formats/` is one, its file name is its id. All rows of a
 * format have the same keys in the same order, so that a reader which infers a schema finds one.
 */
import type { AnswerRow } from "../records/selection.ts";

export interface DatasetRow extends Omit<AnswerRow, "part"> {
  /** Names this row's content: other texts from the same turn get another id. */
  id: string;
}

export interface DatasetFormat {
  /** What reads it, for people. */
  summary: string;
  /** File ending without the dot. */
  extension: string;
  /** Contract: one line of text without line break, the same for the same row. */
  line(row: DatasetRow): string;
}
