/**
 * Reads what a skill keeps in an item's `detail`, also of an item from an old log.
 */
import type { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import type { Item } from "../records/item.ts";

/**
 * Returns the detail of an item, checked.
 * Throws: `BAD_ITEM` where it does not fit the schema.
 */
export function readDetail<T>(item: Item, schema: z.ZodType<T>): T {
  const result = schema.safeParse(item.detail);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Refusal({
    code: "BAD_ITEM",
    message: `The item ${item.item} does not hold what its skill needs.`,
    expected: issue?.message ?? "a task detail",
    where: `detail.${issue?.path.join(".") ?? ""}`,
  });
}
