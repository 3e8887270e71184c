/**
 * What a training method is, as far as its inputs go: which datasets it takes. One file of `methods/`, with a
 * `TrainMethod` as default export; how it learns is the backend's.
 */
import type { Tier } from "../records/selection.ts";

export interface TrainMethod {
  /** The kind of rows that it learns from. */
  tier: Tier;
  /** Columns of tokens/train.parquet that it reads. */
  columns: readonly string[];
  /** Whether good and bad answers both have to be there. */
  needsBothLabels: boolean;
  /** What a loss of its curve counts, as a picture of it says. */
  lossUnit: string;
}
