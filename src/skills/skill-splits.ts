/**
 * Which family and split an item belongs to that another program names: as the skill of that name has it where it is here, so
 * that nothing which the skill holds out is ever trained on; else by its family's name alone.
 */
import { Refusal } from "../foundation/errors.ts";
import type { ItemId } from "../records/ids.ts";
import type { Split } from "../records/item.ts";
import { listSkills, loadSkill } from "./load.ts";
import { splitOf } from "./splits.ts";

export interface SkillSplits {
  splitOf(family: string): Split;
  /** The family that the skill itself puts an item into; null where it does not know the item. */
  familyOf(item: ItemId): string | null;
}

const FRACTIONS = { train: 0.7, validation: 0.1, test: 0.2 };

/** The splits of a name that no skill has. */
export function plainSplits(id: string): SkillSplits {
  return { splitOf: (family) => splitOf({ id, salt: id, splitFractions: FRACTIONS }, family), familyOf: () => null };
}

/** The splits of a skill; of one that cannot give its items here only those of its families' names. */
export async function skillSplits(id: string): Promise<SkillSplits> {
  if (!(await listSkills()).includes(id)) return plainSplits(id);
  const skill = await loadSkill(id);
  const { manifest } = skill;
  const families = await familiesOf(skill.items({ seed: 1 }));
  await skill.close();
  return { splitOf: (family) => splitOf(manifest, family), familyOf: (item) => families.get(item) ?? null };
}

async function familiesOf(items: Promise<{ item: ItemId; family: string }[]>): Promise<Map<ItemId, string>> {
  try {
    return new Map((await items).map(({ item, family }) => [item, family]));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return new Map(); // a skill that is not set up here
  }
}
