/** The order of a dataset's rows: only the seed and the turns' names decide it, so that any beginning is a fair sample. */
import { type Hash, hashText } from "../foundation/hashing.ts";
import { originsOf, type SelectedRow } from "../records/selection.ts";

/** Where a row stands among all: lower hashes first. One answer of the reflector may be in several pairs, so there both count. */
export function rowRank(row: SelectedRow, seed: number): Hash {
  const [first, ...others] = originsOf(row).map(({ turn }) => turn);
  const named = row.kind === "reflector-pair" ? [first, ...others] : [first];
  return hashText([seed, ...named].join(":"));
}
