/**
 * Makes items: schedules of every pattern, in several wordings. The same seed gives the same items; another seed gives
 * other schedules and words under other ids, of the same patterns.
 */
import { random } from "../../src/foundation/random.ts";
import { itemId } from "../../src/records/ids.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { manifest } from "./manifest.ts";
import { drawFrom, type Pattern } from "./pattern.ts";
import { PATTERNS } from "./patterns.ts";
import type { TaskDetail } from "./task-detail.ts";
import { taskWords } from "./tasks.ts";
import { drawClock } from "./words.ts";

export const ITEMS_PER_PATTERN = 56;

/** Every item of a seed, pattern by pattern. */
export function generateItems(seed: number): Draft[] {
  return PATTERNS.flatMap((pattern) => itemsOf(pattern, seed));
}

/** Draws again what has been asked in the same words before. */
function itemsOf(pattern: Pattern, seed: number): Draft[] {
  const drafts = new Map<string, Draft>();
  for (let attempt = 0; drafts.size < ITEMS_PER_PATTERN; attempt++) {
    const source = random("cron-item", seed, pattern.id, attempt);
    const { when, reference } = pattern.draw(drawFrom(source, drawClock(source)));
    const detail: TaskDetail = { words: taskWords(when, source), reference };
    if (drafts.has(detail.words)) continue;
    drafts.set(detail.words, {
      item: itemId(manifest.id, `${pattern.id}-${seed}.${drafts.size + 1}`),
      family: pattern.id,
      kind: pattern.kind,
      // Without the job, which has nothing to do with the schedule: similar are schedules that are told alike.
      task: when,
      detail,
    });
  }
  return [...drafts.values()];
}
