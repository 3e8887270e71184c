/**
 * Pairs of tips as a selection, always alone: nothing that a generator is trained on lies beside them. What is held out is
 * left out, and so is what is revoked, retired or a hosted model's, as long as that gate is on.
 */
import { sumOf } from "../foundation/sums.ts";
import type { RunId } from "../records/ids.ts";
import { originsOf, type RerankerRow, type Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import { ALL_ITEMS } from "./candidate-query.ts";
import { checkGates } from "./gates.ts";
import { openHeldOut } from "./held-out.ts";
import { isForbiddenTeacher } from "./hosted-models.ts";
import { becauseOf } from "./item-gate.ts";
import { joinedSelections } from "./joined-selections.ts";
import { type RerankerPairSettings, rerankerPairs } from "./reranker-pairs.ts";
import type { SelectionSettings } from "./selection-settings.ts";

/**
 * Chooses pairs of tips for what ranks them. Its examples and refusals count tips, then pairs of them, then rows.
 * Throws: `UNKNOWN_GATE`, `GATE_IS_FIXED`.
 */
export async function selectRerankerPairs(
  lake: Lake,
  settings: RerankerPairSettings &
    Pick<SelectionSettings, "heldOut" | "gatesOff" | "allowTeachers" | "isServedElsewhere">,
): Promise<Selection> {
  await checkGates(settings.gatesOff);
  const isOff = (gate: string) => settings.gatesOff.includes(gate);
  const { pairs, ...told } = await rerankerPairs(lake, { ...settings, isRetiredKept: isOff("retired-tip") });
  const { refusals } = told;
  const isRevoked = isOff("revoked") ? () => false : await revokedRows(lake);
  const heldOut = await (await openHeldOut(lake, settings.heldOut)).gate(ALL_ITEMS);
  const isHosted = isOff("hosted-model") ? () => false : await hostedRows(lake, settings);
  const kept = pairs.filter((row) => {
    const named = isRevoked(row)
      ? { reason: "revoked" }
      : isHosted(row)
        ? { reason: "hosted-model" }
        : heldOut(row.item);
    if (named !== null) refusals.add(named.reason, [becauseOf(row.chosenFrom.turn, named)]);
    return named === null;
  });
  return {
    ...joinedSelections([], settings.seed),
    examples: kept.length + sumOf(refusals.counts(), ({ count }) => count),
    chosen: { train: kept.length, validation: 0 },
    ...told,
    async *rows() {
      yield* kept;
    },
  };
}

/** A tip is as free as the run that it was written in makes it. */
async function hostedRows(
  lake: Lake,
  { allowTeachers, isServedElsewhere }: Pick<SelectionSettings, "allowTeachers" | "isServedElsewhere">,
): Promise<(row: RerankerRow) => boolean> {
  const allowed = new Set(allowTeachers);
  const written = await lake.query(
    "SELECT t.tip, t.run FROM files.tips t JOIN files.runs r ON r.run = t.run WHERE r.skill_hash IS NOT NULL",
  );
  const runOf = new Map(written.map(({ tip, run }) => [String(tip), run as RunId]));
  return (row) =>
    originsOf(row).some((origin) => {
      const isOwn = origin.tips.every((tip) => {
        const run = runOf.get(tip);
        return run !== undefined && !isServedElsewhere({ run, role: row.role, isRecorded: false });
      });
      return isForbiddenTeacher({ ...origin, isOwn }, allowed);
    });
}

async function revokedRows(lake: Lake): Promise<(row: RerankerRow) => boolean> {
  const rows = await lake.query("SELECT target FROM ledger.revocations");
  const revoked = new Set(rows.map(({ target }) => String(target)));
  return (row) =>
    originsOf(row).some(({ run, attempt, tips, verifierId, verifierVersion }) =>
      [run, attempt, ...tips, `${verifierId}@${verifierVersion}`].some((target) => revoked.has(target)),
    );
}
