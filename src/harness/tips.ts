/**
 * How a tip is made: from a lesson of the reflector, or, before there is any, from the solved items that a skill
 * brings along. A small base solves so little alone that its memory would stay empty for most of a run.
 */
import { hashJson } from "../foundation/hashing.ts";
import type { AttemptId, RunId, TipId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Tip } from "../records/tip.ts";
import type { Skill } from "../skills/contract.ts";
import type { Lesson } from "./role.ts";
import { solvedExample } from "./solved-example.ts";

/** The same lesson of the same item has the same id within a run. */
export function tipOf(
  lesson: Lesson,
  source: { run: RunId; item: Item; attempt: AttemptId | null; skill: Skill },
): Tip {
  const { run, item, attempt, skill } = source;
  const digest = hashJson({ run, item: item.item, type: lesson.type, text: lesson.text });
  return {
    tip: `tip-${digest.slice(0, 16)}` as TipId,
    skill: skill.manifest.id,
    family: item.family,
    ...lesson,
    source: { run, item: item.item, attempt },
  };
}

/** Makes the tips that a growing memory starts with; none where the skill brings none. Only train items give any. */
export function starterTips(run: RunId, skill: Skill, items: readonly Item[]): Tip[] {
  const train = items.filter(({ split }) => split === "train");
  return (skill.starters?.(train) ?? []).map(({ item, call }) =>
    tipOf(solvedExample(skill, item, call), { run, item, attempt: null, skill }),
  );
}
