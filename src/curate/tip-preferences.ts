/**
 * Pairs of the reflector's answers as a selection, alone or behind the pairs of another role. An answer on
 * either side of a pair passes the filter and the gates of its role, like every other answer.
 */
import { sumOf } from "../foundation/sums.ts";
import { refusalTally } from "../records/refusal-tally.ts";
import { NOT_SCRUBBED, type Selection } from "../records/selection.ts";
import { CANDIDATE_COLUMNS, readCandidate } from "./candidate.ts";
import { ALL_ITEMS, candidatesQuery } from "./candidate-query.ts";
import { candidateTexts } from "./candidate-texts.ts";
import { withoutOutcome } from "./filter-tree.ts";
import { openGates } from "./gates.ts";
import { openHeldOut } from "./held-out.ts";
import type { ItemGate } from "./item-gate.ts";
import { reflectorPairs } from "./reflector-pairs.ts";
import { type SelectionStore, tipsSaid } from "./select.ts";
import type { SelectionSettings } from "./selection-settings.ts";

type TipStore = Pick<SelectionStore, "lake" | "texts">;

/** Of a pair the effects of its tips are the label, so every answer has one as far as the gates are concerned. */
const ANY_LABEL = `SELECT run, turn, true AS passed, 1.0::DOUBLE AS "value", 1.0::DOUBLE AS confidence, 'tip-effect' AS rule
  FROM files.turns WHERE "role" = 'reflector'`;

/**
 * Chooses pairs of the reflector's answers; `before` is what comes before them in the same dataset, and its tally goes on.
 * Its examples and refusals count answers, then pairs.
 */
export async function selectTipPairs(
  store: TipStore,
  settings: SelectionSettings,
  before: Selection = noSelection(),
): Promise<Selection> {
  const refusalOf = await admission(store, settings);
  const isRetiredKept = settings.gatesOff.includes("retired-tip");
  const { pairs, refusals } = await reflectorPairs(store, { ...settings, refusalOf, isRetiredKept });
  for (const { reason, count, examples } of refusals.counts()) before.refusals.add(reason, examples, count);
  const refused = sumOf(refusals.counts(), ({ count }) => count);
  const { train, validation } = before.chosen;
  return {
    ...before,
    examples: before.examples + refused + pairs.length,
    chosen: { train: train + pairs.length, validation },
    async *rows() {
      yield* before.rows();
      yield* pairs;
    },
  };
}

/** Says why the answer of a turn of the reflector cannot be in a pair; null where it can. */
async function admission(
  { lake, texts }: TipStore,
  settings: SelectionSettings,
): Promise<(turn: string) => ReturnType<ItemGate>> {
  const scope = { ...settings, role: "reflector" as const, labels: ANY_LABEL, withBad: false };
  const gatesOff = [...settings.gatesOff, "retired-tip"]; // a worse answer may have written one
  const refusing = await openGates({ ...scope, gatesOff, answerText: null });
  const heldOut = await (await openHeldOut(lake, settings.heldOut)).gate(ALL_ITEMS);
  const asked = { ...scope, filter: withoutOutcome(settings.filter) };
  const { sql, parameters } = candidatesQuery(asked, ALL_ITEMS, CANDIDATE_COLUMNS);
  const said = await tipsSaid(lake);
  const checked = candidateTexts(texts);
  const reasons = new Map<string, ReturnType<ItemGate>>();
  for await (const rows of await lake.stream(sql, parameters)) {
    for (const row of rows) {
      const candidate = readCandidate(row, checked, said);
      const reason = refusing(candidate);
      reasons.set(candidate.turn, reason === null ? heldOut(candidate.item) : { reason });
    }
  }
  return (turn) => (reasons.has(turn) ? (reasons.get(turn) ?? null) : { reason: "filter" });
}

/** A selection of nothing, for rows to be put behind. */
export function noSelection(): Selection {
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
