/**
 * What an item's `detail` holds: the task as the model sees it, and the schedule that is right.
 */
import { z } from "zod";
import type { Item } from "../../src/records/item.ts";
import { readDetail } from "../../src/skills/item-detail.ts";

export const taskDetailSchema = z.object({ words: z.string().min(1), reference: z.string().min(1) });

export type TaskDetail = z.infer<typeof taskDetailSchema>;

/**
 * Reads the detail of a recorded item.
 * Throws: `BAD_ITEM` where it is not an item of this skill.
 */
export function taskDetail(item: Item): TaskDetail {
  return readDetail(item, taskDetailSchema);
}
