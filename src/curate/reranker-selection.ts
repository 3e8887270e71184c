/**
 * Pairs of tips as a selection, always alone: nothing that a generator is trained on lies beside them. What is revoked or
 * held out is left out.
 */
import { originsOf, type RerankerRow, type Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import { ALL_ITEMS } from "./candidate-query.ts";
import { openHeldOut } from "./held-out.ts";
import { type RerankerPairSettings, rerankerPairs } from "./reranker-pairs.ts";
import type { SelectionSettings } from "./selection-settings.ts";
import { noSelection } from "./tip-preferences.ts";

/** Chooses pairs of tips for what ranks them. Its examples and refusals count tips, then pairs of them, then rows. */
export async function selectRerankerPairs(
  lake: Lake,
  settings: RerankerPairSettings & Pick<SelectionSettings, "comparisons">,
): Promise<Selection> {
  const { pairs, refusals } = await rerankerPairs(lake, settings);
  const isRevoked = await revokedRows(lake);
  const heldOut = await (await openHeldOut(lake, settings.comparisons)).gate(ALL_ITEMS);
  const kept = pairs.filter((row) => {
    const reason = isRevoked(row) ? "revoked" : heldOut(row.item)?.reason;
    if (reason !== undefined) refusals.add(reason, [row.chosenFrom.turn]);
    return reason === undefined;
  });
  return {
    ...noSelection(),
    examples: kept.length + refusals.counts().reduce((sum, { count }) => sum + count, 0),
    chosen: { train: kept.length, validation: 0 },
    refusals,
    async *rows() {
      yield* kept;
    },
  };
}

async function revokedRows(lake: Lake): Promise<(row: RerankerRow) => boolean> {
  const rows = await lake.query("SELECT target FROM ledger.revocations");
  const revoked = new Set(rows.map(({ target }) => String(target)));
  return (row) =>
    originsOf(row).some(({ run, attempt, tips, verifierId, verifierVersion }) =>
      [run, attempt, ...tips, `${verifierId}@${verifierVersion}`].some((target) => revoked.has(target)),
    );
}
