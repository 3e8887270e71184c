/**
 * Pairs of the reflector's answers as a selection. An answer on either side of a pair passes the filter and the gates of
 * its role, like every other answer.
 */
import { sumOf } from "../foundation/sums.ts";
import type { TurnId } from "../records/ids.ts";
import type { Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import { revokedTargets } from "../store/ledger-tables.ts";
import { CANDIDATE_COLUMNS, readCandidate } from "./candidate.ts";
import { ALL_ITEMS, candidatesQuery, filteredTurnsQuery, type Scope } from "./candidate-query.ts";
import { candidateTexts } from "./candidate-texts.ts";
import { type ClauseTally, clauseTally } from "./clause-counts.ts";
import { withoutOutcome } from "./filter-tree.ts";
import { openGates } from "./gates.ts";
import { openHeldOut } from "./held-out.ts";
import type { ItemGate } from "./item-gate.ts";
import { joinedSelections } from "./joined-selections.ts";
import { reflectorPairs, TIP_CREDIT_VERSION } from "./reflector-pairs.ts";
import { type SelectionStore, tipsSaid } from "./select.ts";
import type { SelectionSettings } from "./selection-settings.ts";

type TipStore = Pick<SelectionStore, "lake" | "texts">;

/** Of a pair the effects of its tips are the label, so every answer has one as far as the gates are concerned. */
const ANY_LABEL = `SELECT run, turn, true AS passed, 1.0::DOUBLE AS "value", 1.0::DOUBLE AS confidence, 'tip-effect' AS rule
  FROM files.turns WHERE "role" = 'reflector'`;

/** Chooses pairs of the reflector's answers. Examples and refusals count answers, then pairs. */
export async function selectTipPairs(store: TipStore, settings: SelectionSettings): Promise<Selection> {
  const clauses = clauseTally(withoutOutcome(settings.filter));
  const admitted = await admission(store, settings, clauses);
  const isRevoked = !settings.gatesOff.includes("revoked") && (await isCreditRevoked(store.lake));
  const refusalOf = isRevoked ? () => ({ reason: "revoked" }) : admitted;
  const isRetiredKept = settings.gatesOff.includes("retired-tip");
  const { pairs, ...told } = await reflectorPairs(store, { ...settings, refusalOf, isRetiredKept });
  return {
    ...joinedSelections([], settings.seed),
    examples: pairs.length + sumOf(told.refusals.counts(), ({ count }) => count),
    clauses: clauses.counts(),
    chosen: { train: pairs.length, validation: 0 },
    ...told,
    async *rows() {
      yield* pairs;
    },
  };
}

/** Says why the answer of a turn of the reflector cannot be in a pair; null where it can. Tells `clauses` whom the filter left out. */
async function admission(
  { lake, texts }: TipStore,
  settings: SelectionSettings,
  clauses: ClauseTally,
): Promise<(turn: TurnId) => ReturnType<ItemGate>> {
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
  const clauseOf = await filteringClauses(lake, asked);
  return (turn) => {
    if (reasons.has(turn)) return reasons.get(turn) ?? null;
    const clause = clauseOf.get(turn);
    if (clause !== undefined) clauses.add({ clause, filtered: 1, first: [turn] });
    return { reason: "filter" };
  };
}

/** Of each turn that the filter leaves out the number of the clause that does so. */
async function filteringClauses(lake: Lake, asked: Scope): Promise<Map<string, number>> {
  const { sql, parameters } = filteredTurnsQuery(asked, ALL_ITEMS);
  const clauseOf = new Map<string, number>();
  for await (const rows of await lake.stream(sql, parameters))
    for (const { turn, clause } of rows) clauseOf.set(String(turn), Number(clause));
  return clauseOf;
}

/** Whether what says which tip of a pair is worth more is revoked: then no pair has a label. */
async function isCreditRevoked(lake: Lake): Promise<boolean> {
  const rows = await lake.query(`SELECT 1 FROM (${revokedTargets("verifier")}) WHERE target = $verifier`, {
    verifier: `tip-credit@${TIP_CREDIT_VERSION}`,
  });
  return rows.length > 0;
}
