/**
 * What draws say of tips as a selection: pairs of the reflector's answers, alone or behind the pairs of another role, and
 * pairs of tips for what ranks them, always alone. What is revoked or held out is left out here too.
 */
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import { NOT_SCRUBBED, originsOf, type PairRow, type RerankerRow, type Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import { ALL_ITEMS } from "./candidate-query.ts";
import { openHeldOut } from "./held-out.ts";
import { reflectorPairs } from "./reflector-pairs.ts";
import { rerankerPairs } from "./reranker-pairs.ts";
import type { SelectionStore } from "./select.ts";
import type { SelectionSettings } from "./selection-settings.ts";

type TipPairRow = PairRow | RerankerRow;
type TipPairSettings = Pick<SelectionSettings, "skills" | "runs" | "seed" | "comparisons">;

/** Chooses pairs of the reflector's answers; `before` is what comes before them in the same dataset. */
export async function selectTipPairs(
  { lake, texts }: Pick<SelectionStore, "lake" | "texts">,
  settings: TipPairSettings,
  before: Selection = noSelection(),
): Promise<Selection> {
  return behind(before, await reflectorPairs({ lake, texts }, settings), { lake, comparisons: settings.comparisons });
}

/** Chooses pairs of tips for what ranks them; nothing comes before or behind them. */
export async function selectRerankerPairs(
  { lake }: Pick<SelectionStore, "lake">,
  settings: TipPairSettings & Pick<SelectionSettings, "maxPerItem">,
): Promise<Selection> {
  return behind(noSelection(), await rerankerPairs(lake, settings), { lake, comparisons: settings.comparisons });
}

async function behind(
  before: Selection,
  { pairs, refusals }: { pairs: readonly TipPairRow[]; refusals: RefusalTally },
  { lake, comparisons }: Pick<SelectionSettings, "comparisons"> & { lake: Lake },
): Promise<Selection> {
  for (const { reason, count, examples } of refusals.counts()) before.refusals.add(reason, examples, count);
  const isRevoked = await revokedPairs(lake);
  const heldOut = await openHeldOut(lake, comparisons);
  const gate = await heldOut.gate(ALL_ITEMS);
  const kept = pairs.filter((pair) => {
    const reason = isRevoked(pair) ? "revoked" : gate(pair.item)?.reason;
    if (reason !== undefined) before.refusals.add(reason, [pair.chosenFrom.turn]);
    return reason === undefined;
  });
  const { train, validation } = before.chosen;
  return {
    ...before,
    examples: before.examples + refusals.counts().reduce((sum, { count }) => sum + count, 0) + pairs.length,
    chosen: { train: train + kept.length, validation },
    async *rows() {
      yield* before.rows();
      yield* kept;
    },
  };
}

async function revokedPairs(lake: Lake): Promise<(pair: TipPairRow) => boolean> {
  const rows = await lake.query("SELECT target FROM ledger.revocations");
  const revoked = new Set(rows.map(({ target }) => String(target)));
  return (pair) =>
    originsOf(pair).some(({ run, attempt, tips, verifierId, verifierVersion }) =>
      [run, attempt, ...tips, `${verifierId}@${verifierVersion}`].some((target) => revoked.has(target)),
    );
}

function noSelection(): Selection {
  return {
    examples: 0,
    chosen: { train: 0, validation: 0 },
    clauses: [],
    duplicates: [],
    refusals: refusalTally(),
    scrub: NOT_SCRUBBED,
    async *rows() {},
    close() {},
  };
}
