/**
 * A tier: which rows the sound examples of one item give. Every file of `tiers/` is one; its file name is the tier that
 * the manifest names. The tier `reranker-pairs` is made of tips and not of examples, so it is none of them.
 */
import type { GeneratorRow } from "../records/selection.ts";
import type { Candidate } from "./candidate.ts";
import type { SelectionSettings } from "./selection-settings.ts";

export interface TierRow {
  row: GeneratorRow;
  /** The examples that it was made of; the first one's worth is the row's. */
  of: readonly [Candidate, ...Candidate[]];
  /** Two rows of the same key have the same tip-free prompt and the same normalised answers. */
  key: string;
}

export interface ItemWork {
  settings: SelectionSettings;
  /** Counts an example that gives no row; `kept` is the one that says the same and stays. */
  refuse(reason: string, candidate: Candidate, kept?: Candidate): void;
}

export interface TierRule {
  /** What its rows are, for people. */
  summary: string;
  /** Whether bad answers are needed, which the user's filter would keep out. */
  withBad: boolean;
  /** Contract: of the same examples always the same rows, best first; each example is in a row or is refused. */
  rows(sound: readonly Candidate[], work: ItemWork): TierRow[];
}
