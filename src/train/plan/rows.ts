/**
 * The rows that a training would read, general ones that are rehearsed included: how long they are, and what of them the
 * trainer would refuse (python/tracemill_train/rows.py and rehearsal.py), told before a base is loaded.
 */
import { counted } from "../../foundation/counted.ts";
import { Refusal, type RefusalDetails } from "../../foundation/errors.ts";
import { sumOf } from "../../foundation/sums.ts";
import type { AdapterManifest, TrainConfig } from "../../records/adapter-manifest.ts";
import { type GivenRehearsal, withRehearsal } from "../rehearsal.ts";
import { type RowCounts, type TokenLengths, tokenLengths } from "./lengths.ts";

export type DroppedRows = Pick<AdapterManifest, "droppedRows" | "droppedValidationRows" | "droppedRehearsalRows">;

/** Measures the rows of a dataset's folder and of the rehearsal. Throws: as `withRehearsal` and `tokenLengths`. */
export function measureRows(datasetFolder: string, given: GivenRehearsal): Promise<TokenLengths> {
  const { config } = given;
  const { fraction = 0 } = config.rehearsal ?? {};
  return withRehearsal(given, (file) => tokenLengths(datasetFolder, config, file === null ? null : { file, fraction }));
}

/** Throws: `ROW_TOO_LONG`, `TOO_FEW_REHEARSAL_ROWS`, `BAD_SETTINGS`. */
export function checkRows(lengths: TokenLengths, config: TrainConfig): void {
  const offence = offenceOfRows(lengths, config);
  if (offence !== null) throw new Refusal(offence);
}

/** Returns what a training would be refused for; null where its rows can all be trained on. */
export function offenceOfRows(lengths: TokenLengths, config: TrainConfig): RefusalDetails | null {
  return tooLong(lengths, config) ?? tooFew(lengths, config) ?? noneToJudge(lengths, config);
}

/** Returns how many rows are left out for their length, by the keys that a manifest has for them; none for a kind that loses none. */
export function droppedRows({ longer }: TokenLengths, { tooLong }: TrainConfig): DroppedRows {
  if (tooLong !== "drop") return {};
  return {
    ...(longer.train > 0 && { droppedRows: longer.train }),
    ...(longer.validation > 0 && { droppedValidationRows: longer.validation }),
    ...(longer.rehearsal > 0 && { droppedRehearsalRows: longer.rehearsal }),
  };
}

/** Says in a phrase what so many rows are for, leaving out what none are for. */
export function rowsInWords({ train, validation, rehearsal }: RowCounts): string {
  return [
    ...(train > 0 ? [`${train} to train on`] : []),
    ...(validation > 0 ? [`${validation} to validate on`] : []),
    ...(rehearsal > 0 ? [`${rehearsal} to rehearse`] : []),
  ].join(", ");
}

function tooLong({ longer, ...lengths }: TokenLengths, { tooLong, maxTokens }: TrainConfig): RefusalDetails | null {
  const count = sumOf(Object.values(longer), (rows: number) => rows);
  if (tooLong === "drop" || count === 0) return null;
  const longest = Math.max(lengths.max, lengths.others);
  return {
    code: "ROW_TOO_LONG",
    message: `${counted(count, "row has", "rows have")} more tokens than the training takes.`,
    expected: `at most ${maxTokens} tokens a row`,
    got: `${rowsInWords(longer)}, of up to ${longest} tokens`,
    fix: `train with --max-tokens ${longest}, or without them: --too-long drop`,
  };
}

/** A dataset without validation rows is refused before (`check-settings.ts`); here none of its rows is short enough. */
function noneToJudge({ validationRows }: TokenLengths, { patience, maxTokens }: TrainConfig): RefusalDetails | null {
  if (patience === null || validationRows > 0) return null;
  return {
    code: "BAD_SETTINGS",
    message: "All validation rows are dropped, and without them nothing tells when a training gets worse.",
    expected: `--patience with validation rows of at most ${maxTokens} tokens`,
    got: "none",
    fix: "train with a larger --max-tokens, or leave out --patience",
  };
}

function tooFew({ rehearsed, rows }: TokenLengths, { rehearsal }: TrainConfig): RefusalDetails | null {
  if (rehearsed === null || rehearsed.wanted <= rehearsed.rows) return null;
  const train = rows - rehearsed.rows;
  return {
    code: "TOO_FEW_REHEARSAL_ROWS",
    message: "The file has fewer general rows than are to be mixed in.",
    expected: `${counted(rehearsed.wanted, "row")} for a fraction of ${rehearsal?.fraction} beside ${counted(train, "train row")}`,
    got: counted(rehearsed.rows, "row"),
    fix: `take a fraction of at most ${(rehearsed.rows / rows).toFixed(3)}, or a larger file`,
  };
}
