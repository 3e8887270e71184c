/**
 * What an export is asked for and what it gives, as other commands and the loop see it.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { RunId } from "../records/ids.ts";
import type { ExportSettingsGiven } from "./export-settings.ts";

/** What is left out takes the command's default; `runs` left out are all sealed ones that are not held out. */
export type ExportOptions = ExportSettingsGiven & {
  skills: string[];
  runs?: string[] | undefined;
  /** The dataset that this one is the clean successor of. */
  replaces?: Hash;
};

/** Of how many examples each clause of the filter and each gate left out how many. */
export interface Taken {
  examples: number;
  clauses: DatasetManifest["clauses"];
  refusals: DatasetManifest["refusals"];
}

export interface ExportPreview extends Omit<Taken, "examples"> {
  counts: DatasetManifest["counts"];
  runs: RunId[];
  /** Runs of the skills that were left out because they are not sealed. */
  unsealedRuns: RunId[];
  /** Sealed runs of the skills that were left out because their log is gone. */
  missingRuns: RunId[];
  /** Rows kept under each unit, where a limit of tokens was given. */
  rowsByUnit?: Record<string, number>;
}

export interface ExportResult extends ExportPreview {
  datasetHash: Hash;
  folder: string;
  manifest: DatasetManifest;
  out: string | null;
  /** Columns of `out` of which a loader that reads it alone, without the folder's card, would make times. */
  dateColumns: string[];
}
