/**
 * What an item's `detail` holds: the schema as the model sees it, the question, the reference, and how the contents
 * of the tables are drawn. Everything that the verifier needs is here, so an item from an old log can be judged
 * again without the generator that made it.
 */
import { z } from "zod";
import type { Item } from "../../src/records/item.ts";
import { readDetail } from "../../src/skills/item-detail.ts";

const literalSchema = z.union([z.string(), z.number()]);

/** How the values of one column are drawn; `focus` values (those that the question turns on) come up often. */
const drawSchema = z.discriminatedUnion("draw", [
  z.object({ draw: z.literal("text"), from: z.array(z.string()).min(1), focus: z.array(z.string()) }),
  z.object({
    draw: z.literal("number"),
    low: z.number(),
    high: z.number(),
    step: z.number().gt(0),
    focus: z.array(z.number()),
  }),
  z.object({ draw: z.literal("date"), low: z.iso.date(), high: z.iso.date(), focus: z.array(z.string()) }),
  z.object({ draw: z.literal("boolean") }),
  /** 1, 2, 3, ... in some order. */
  z.object({ draw: z.literal("key") }),
  /** One of the values of another table's column. */
  z.object({ draw: z.literal("reference"), table: z.string(), column: z.string() }),
]);

export const columnShapeSchema = z.object({
  name: z.string().min(1),
  values: drawSchema,
  isUnique: z.boolean(),
  nullFraction: z.number().min(0).max(1),
});

export const tableShapeSchema = z.object({
  name: z.string().min(1),
  columns: z.array(columnShapeSchema).min(1),
  /** Fewest and most rows of one content. */
  rows: z.tuple([z.int().min(1), z.int().min(1)]),
});

export const taskDetailSchema = z.object({
  schema: z.string().min(1),
  question: z.string().min(1),
  reference: z.string().min(1),
  ordered: z.boolean(),
  /** In an order in which a table comes after those that it refers to. */
  tables: z.array(tableShapeSchema).min(1),
  contentsSeed: z.int(),
});

export type Literal = z.infer<typeof literalSchema>;
export type ColumnDraw = z.infer<typeof drawSchema>;
export type ColumnShape = z.infer<typeof columnShapeSchema>;
export type TableShape = z.infer<typeof tableShapeSchema>;
export type TaskDetail = z.infer<typeof taskDetailSchema>;

/**
 * Reads the detail of a recorded item.
 * Throws: `BAD_ITEM` where it is not an item of this skill.
 */
export function taskDetail(item: Item): TaskDetail {
  return readDetail(item, taskDetailSchema);
}
