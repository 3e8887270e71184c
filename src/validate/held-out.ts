/**
 * What makes a comparison one on held-out work: every item of the split that is said, and no tip in an arm's prompts that
 * came from the same families. Refuses before the first call.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Arm, type Part, type Plan, partsOf } from "../records/comparison.ts";
import { loadSkill } from "../skills/load.ts";
import { splitOf } from "../skills/splits.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { readAdapterManifest } from "../store/manifests.ts";

const SHOWN = 3;

/**
 * Checks items and arms of a plan. What a candidate was trained on is not looked at here: that is an axis of the gate.
 * Throws: `TOO_FEW_FAMILIES`, `ITEM_OF_ANOTHER_SPLIT`, `ADAPTER_OF_ANOTHER_BASE`, `LEAKED_FAMILY` for tips.
 */
export async function refuseLeaks(home: Home, plan: Plan): Promise<void> {
  for (const part of partsOf(plan)) {
    const families = new Set(part.items.map(({ family }) => family));
    refuseTooFew(part, families);
    await refuseOtherSplits(part);
    for (const arm of plan.arms) if (arm.tipRuns.length > 0) await refuseTipFamilies(home, arm, { part, families });
  }
  for (const arm of plan.arms) if (arm.adapterHash !== null) await refuseOtherBase(home, arm);
}

function refuseTooFew({ skill }: Part, families: ReadonlySet<string>): void {
  if (families.size >= 2) return;
  throw new Refusal({
    code: "TOO_FEW_FAMILIES",
    message: "One family cannot show how families differ, so no interval could be given.",
    expected: "items of at least 2 families (10 or more for a sound interval)",
    got: `${families.size} of ${skill.id}: ${[...families].join(", ")}`,
    fix: "let the comparison take items of more families",
  });
}

async function refuseOtherSplits({ skill, split, items }: Part): Promise<void> {
  const { manifest } = await loadSkill(skill.id);
  const others = items.filter(({ family }) => splitOf(manifest, family) !== split);
  const first = others[0];
  if (first === undefined) return;
  throw new Refusal({
    code: "ITEM_OF_ANOTHER_SPLIT",
    message: `${others.length} of ${counted(items.length, "item")} ${others.length === 1 ? "is" : "are"} not of the ${split} split.`,
    expected: `families of the ${split} split of ${skill.id}`,
    got: `${first.item} of family ${first.family}, which lies in ${splitOf(manifest, first.family)}`,
    fix: `leave them out of the items, or validate with --split ${splitOf(manifest, first.family)}`,
  });
}

async function refuseOtherBase(home: Home, arm: Arm): Promise<void> {
  const adapter = await readAdapterManifest(home, arm.adapterHash as string);
  if (adapter.baseHash === arm.baseHash) return;
  throw new Refusal({
    code: "ADAPTER_OF_ANOTHER_BASE",
    message: `The adapter ${arm.model} was not trained on the base that arm ${arm.arm} serves.`,
    expected: `an adapter of base ${arm.baseHash}`,
    got: `one of ${adapter.base} (${adapter.baseHash})`,
    where: `adapters/${adapter.adapterHash}/manifest.json`,
    fix: `validate it with --base ${adapter.base}`,
  });
}

/** Family names belong to a skill: the same name in another skill is another family. */
async function refuseTipFamilies(
  home: Home,
  arm: Arm,
  { part, families }: { part: Part; families: ReadonlySet<string> },
): Promise<void> {
  return withLake(home, async (lake) => {
    const runs = new Set<string>(arm.tipRuns.map(({ run }) => run));
    const rows = await lake.query("SELECT DISTINCT run, family FROM tips WHERE skill = $skill ORDER BY family", {
      skill: part.skill.id,
    });
    const leaked = rows.filter((row) => runs.has(String(row.run)) && families.has(String(row.family)));
    if (leaked.length > 0) throw leakedFamily(arm, [...new Set(leaked.map((row) => String(row.family)))]);
  });
}

function leakedFamily(arm: Arm, families: readonly string[]): Refusal {
  const shown = families.slice(0, SHOWN).join(", ");
  return new Refusal({
    code: "LEAKED_FAMILY",
    message: `Arm ${arm.arm} has learned from ${families.length} of the families that it would be judged on.`,
    expected: "held-out families only",
    got: families.length > SHOWN ? `${shown} and ${families.length - SHOWN} more` : shown,
    where: "its tips",
    fix: "leave the arm out, or validate on another split",
  });
}
