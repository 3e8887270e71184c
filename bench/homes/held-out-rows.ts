/**
 * Rows to measure a loss on, of families that no training sees: one of each kind of task of the validation split, each with
 * the skill's own solution, as a demo's few verified answers of that split are too few to tell two trainings apart.
 */
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { loadRenderer } from "../../src/render/renderer.ts";
import { loadSkill } from "../../src/skills/load.ts";
import { scanItems } from "../../src/skills/scan.ts";
import type { Home } from "../../src/store/home.ts";
import { createTokenTable } from "../../src/store/token-table.ts";

/** Writes them as a dataset's `tokens/validation.parquet`. */
export async function writeHeldOutRows(
  home: Home,
  { base, skill: name, seed, target }: { base: BaseManifest; skill: string; seed: number; target: string },
): Promise<void> {
  const skill = await loadSkill(name);
  try {
    const renderer = await loadRenderer(home, base);
    const items = await scanItems(skill, { seed, split: "validation" });
    const table = createTokenTable(target);
    for (const { item, call } of skill.starters?.(items) ?? []) {
      const answer = { role: "assistant" as const, content: skill.answerText?.(call) ?? "" };
      await table.add(item.item, [renderer.example(skill.prompt(item), answer, null)]);
    }
    await table.finish();
  } finally {
    await skill.close();
  }
}
