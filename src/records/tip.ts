/**
 * A lesson that the reflector wrote, and its retrieval for a prompt.
 */
import { z } from "zod";
import { attemptIdSchema, itemIdSchema, runIdSchema, tipIdSchema } from "./ids.ts";
import { messageSchema } from "./message.ts";

export const TIP_TYPES = ["strategy", "recovery", "warning", "optimization"] as const;

export const tipSchema = z.object({
  tip: tipIdSchema,
  skill: z.string(),
  family: z.string(),
  type: z.enum(TIP_TYPES),
  /** What it says; rendered into the task's own message where there is no `example`. */
  text: z.string(),
  /** A worked example: rendered as earlier turns of the conversation. */
  example: z.array(messageSchema).min(1).nullable(),
  mechanism: z.string().nullable(),
  conditions: z.string().nullable(),
  /** What the tip is about: the text that an item's task is compared with at retrieval. */
  about: z.string(),
  /** `attempt` is null for a starter: a worked example that the skill itself brought along. */
  source: z.object({ run: runIdSchema, item: itemIdSchema, attempt: attemptIdSchema.nullable() }),
});

export const retrievalSchema = z.object({
  tip: tipIdSchema,
  /** Position in the ranking, from 1. */
  rank: z.int().min(1),
  score: z.number(),
  /** Probability that the tip was left out by the draw; 0 where nothing is drawn, as for a tip without room. */
  dropProbability: z.number().min(0).max(1),
  /** Whether the draw left it out. */
  isDropped: z.boolean(),
  /** Whether the prompt holds it: false where the draw left it out, or where it had no room and so was not drawn. */
  isRendered: z.boolean(),
});

/**
 * Where a rendered tip lies in the prompt.
 * Units: offsets in UTF-16 code units into the content of `messages[messageIndex]`, end exclusive. Spans do not
 * overlap; taking all of them out, and with them every message that was a span from end to end, gives exactly the
 * tip-free prompt.
 */
export const tipSpanSchema = z.object({
  tip: tipIdSchema,
  messageIndex: z.int().min(0),
  start: z.int().min(0),
  end: z.int().min(0),
});

export type Tip = z.infer<typeof tipSchema>;
export type Retrieval = z.infer<typeof retrievalSchema>;
export type TipSpan = z.infer<typeof tipSpanSchema>;
