/**
 * The rows that a training would read, general ones that are rehearsed included: how long they are, and what of them the
 * trainer would refuse (python/tracemill_train/rows.py and rehearsal.py), told before a base is loaded.
 */
import { counted } from "../../foundation/counted.ts";
import { Refusal, type RefusalDetails } from "../../foundation/errors.ts";
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import { type GivenRehearsal, withRehearsal } from "../rehearsal.ts";
import { type TokenLengths, tokenLengths } from "./lengths.ts";

/** Measures the rows of a dataset's folder and of the rehearsal. Throws: as `withRehearsal` and `tokenLengths`. */
export function measureRows(datasetFolder: string, given: GivenRehearsal): Promise<TokenLengths> {
  const { config } = given;
  const { fraction = 0 } = config.rehearsal ?? {};
  return withRehearsal(given, (file) => tokenLengths(datasetFolder, config, file === null ? null : { file, fraction }));
}

/** Throws: `ROW_TOO_LONG`, `TOO_FEW_REHEARSAL_ROWS`. */
export function checkRows(lengths: TokenLengths, config: TrainConfig): void {
  const offence = offenceOfRows(lengths, config);
  if (offence !== null) throw new Refusal(offence);
}

/** Returns what a training would be refused for; null where its rows can all be trained on. */
export function offenceOfRows(lengths: TokenLengths, config: TrainConfig): RefusalDetails | null {
  return tooLong(lengths, config) ?? tooFew(lengths, config);
}

function tooLong(lengths: TokenLengths, { tooLong, maxTokens }: TrainConfig): RefusalDetails | null {
  const { longer, othersLonger } = lengths;
  if (tooLong === "drop" || longer + othersLonger === 0) return null;
  const longest = Math.max(lengths.max, lengths.others);
  return {
    code: "ROW_TOO_LONG",
    message: `${counted(longer + othersLonger, "row has", "rows have")} more tokens than the training takes.`,
    expected: `at most ${maxTokens} tokens a row`,
    got: `${counted(longer, "train row")} and ${othersLonger} that are validated on or rehearsed, of up to ${longest}`,
    fix: `train with --max-tokens ${longest}, or without them: --too-long drop`,
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
