/**
 * One unit of work of a skill, and the split that its family belongs to.
 */
import { z } from "zod";
import { itemIdSchema } from "./ids.ts";

export const SPLITS = ["train", "validation", "test"] as const;
export type Split = (typeof SPLITS)[number];

export const itemSchema = z.object({
  item: itemIdSchema,
  /** Items that leak into each other share a family; a family lies in one split as a whole. */
  family: z.string().min(1),
  split: z.enum(SPLITS),
  /** Sub-kind for reports (a question kind, a severity); never used for the split. */
  kind: z.string().nullable(),
  /** The task in words, as similarity search and people see it. */
  task: z.string(),
  /** What the skill needs to open the item again (schema, reference, ...). */
  detail: z.record(z.string(), z.json()),
});

export type Item = z.infer<typeof itemSchema>;
