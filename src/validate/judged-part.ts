/**
 * One skill's items with an outcome of every arm: what can be paired. Pure.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import type { Part, PartResult } from "../records/comparison.ts";
import type { ArmOutcomes, Outcome } from "./arm-outcomes.ts";
import { isTooManyDropped, MOST_DROPPED } from "./dropped.ts";
import type { Stop } from "./sequential.ts";

/** An arm with an outcome for every item that is paired. */
export type WholeArm = Omit<ArmOutcomes, "outcomes"> & { outcomes: Outcome[] };

/** A part's arms, with an outcome of every arm for each item that is left. */
export interface JudgedPart {
  part: Part;
  arms: WholeArm[];
  dropped: PartResult["dropped"];
  /** Where the comparison may end early: how far it came, and how sure it was. */
  stop: Stop | null;
}

/** Cuts a part to the items up to which a comparison that may end early was sure. */
export function cutAt(part: Part, arms: readonly ArmOutcomes[], items: number): { part: Part; arms: ArmOutcomes[] } {
  return {
    part: { ...part, items: part.items.slice(0, items) },
    arms: arms.map((arm) => ({ ...arm, outcomes: arm.outcomes.slice(0, items) })),
  };
}

/**
 * Leaves out the items that an arm has no verdict of, in every arm.
 * Throws: `INCOMPLETE_ARM` where they are too many: then a failing endpoint would have picked the items.
 */
export function paired(part: Part, arms: readonly ArmOutcomes[]): JudgedPart {
  const dropped = part.items.flatMap(({ item }, index) => {
    const arm = arms.find(({ outcomes }) => outcomes[index] === null);
    return arm === undefined ? [] : [{ item, arm: arm.arm.arm }];
  });
  if (isTooManyDropped(dropped.length, part.items.length)) throw incompleteArm(part, dropped);
  const gone = new Set(dropped.map(({ item }) => item));
  const whole = arms.map((arm) => ({
    ...arm,
    outcomes: arm.outcomes.flatMap((outcome) => (outcome === null || gone.has(outcome.item) ? [] : [outcome])),
  }));
  return { part, arms: whole, dropped, stop: null };
}

function incompleteArm(part: Part, dropped: PartResult["dropped"]): Refusal {
  const [first] = dropped;
  return new Refusal({
    code: "INCOMPLETE_ARM",
    message: `${dropped.length} of ${counted(part.items.length, "item")} of ${part.skill.id} ${dropped.length === 1 ? "has" : "have"} no verdict in an arm: the comparison is not valid.`,
    expected: `a deciding verdict of the first attempt in every arm for ${100 - 100 * MOST_DROPPED} % of the items`,
    got: `none for ${first?.item} in arm ${first?.arm}${dropped.length > 1 ? `, and ${dropped.length - 1} more` : ""}`,
    where: `arm ${first?.arm}`,
    fix: "see why in the failures that the run recorded, then validate again with another --seed",
  });
}
