/**
 * What the verifier's process is asked and answers: one JSON object a line, one answer to each request, in order.
 * Before an answer may come the line `ready`: from then on only the query itself takes time.
 */
import { z } from "zod";
import { FAILURE_MODES } from "./manifest.ts";
import { taskDetailSchema } from "./task-detail.ts";

export const READY = "ready";

const shownRowSchema = z.array(z.union([z.null(), z.boolean(), z.number(), z.string()]));
const resultSchema = z.object({ columns: z.array(z.string()), rows: z.array(shownRowSchema) });

export const requestSchema = z.discriminatedUnion("verb", [
  /** Judge a query on an item. */
  z.object({ verb: z.literal("verify"), task: taskDetailSchema, query: z.string() }),
  /** Prepare an item and say how good its contents are. */
  z.object({ verb: z.literal("prepare"), task: taskDetailSchema }),
  /** Run CREATE TABLE statements and say what tables they make. */
  z.object({ verb: z.literal("inspect"), schema: z.string() }),
  /** Run a query on the item's first content, or on the user's file. */
  z.object({
    verb: z.literal("answer"),
    task: taskDetailSchema.nullable(),
    file: z.string().nullable(),
    query: z.string(),
  }),
  /** Say what table the user's file makes. */
  z.object({ verb: z.literal("describe"), file: z.string() }),
]);

/** What came of a query: `contents` ends at the first that differs; `result` is what it gave on the first one. */
export const outcomeSchema = z.object({
  failureMode: z.enum(FAILURE_MODES).nullable(),
  reason: z.string().nullable(),
  contents: z.array(
    z.object({
      content: z.int(),
      expectedRows: z.int(),
      rows: z.int().nullable(),
      difference: z
        .object({ row: z.int(), expected: shownRowSchema.nullable(), got: shownRowSchema.nullable() })
        .nullable(),
    }),
  ),
  result: resultSchema.nullable(),
  /** Whether the process must be replaced before the next request. */
  isSpent: z.boolean(),
});

export const inspectedColumnSchema = z.object({
  table: z.string(),
  column: z.string(),
  type: z.string(),
  isNullable: z.boolean(),
  isUnique: z.boolean(),
  references: z.object({ table: z.string(), column: z.string() }).nullable(),
});

/** What a request met where it has no answer: an error of the reference or the schema, not of the query judged. */
const errorSchema = z.object({ error: z.string(), isSpent: z.boolean().default(false) });

export const answerSchemas = {
  verify: z.union([outcomeSchema, errorSchema]),
  prepare: z.union([
    z.object({ contents: z.array(z.object({ content: z.int(), rows: z.int() })), survivors: z.array(z.string()) }),
    errorSchema,
  ]),
  inspect: z.union([z.object({ columns: z.array(inspectedColumnSchema) }), errorSchema]),
  answer: z.union([resultSchema, errorSchema]),
  describe: z.union([z.object({ schema: z.string() }), errorSchema]),
} as const;

export type Request = z.infer<typeof requestSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;
export type InspectedColumn = z.infer<typeof inspectedColumnSchema>;
export type Answer<V extends Request["verb"]> = z.infer<(typeof answerSchemas)[V]>;
