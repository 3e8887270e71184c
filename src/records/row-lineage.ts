/**
 * `datasets/<hash>/rows.jsonl`: for each row of a dataset what it was made from, whatever the format of the rows. Through
 * this a row is found from a run, an attempt, a turn, a tip or a verifier, and these from a row.
 */
import { z } from "zod";
import { attemptIdSchema, rowIdSchema, runIdSchema, tipIdSchema, turnIdSchema } from "./ids.ts";
import { type AnswerOrigin, originsOf, PARTS, type SelectedRow } from "./selection.ts";

export const rowLineageSchema = z.object({
  id: rowIdSchema,
  part: z.enum(PARTS),
  turns: z.array(turnIdSchema),
  attempts: z.array(attemptIdSchema),
  runs: z.array(runIdSchema),
  /** Tips that the prompts held as they were sent, also where the row is without them; of a pair of tips both. */
  tips: z.array(tipIdSchema),
  /** `<id>@<version>` of each verifier whose verdict the row's label is. */
  verifiers: z.array(z.string()),
  /** For each turn, in their order, or for either tip of a pair: who wrote it, and what says that it was good or bad. */
  answers: z.array(
    z.object({
      model: z.string().nullable(),
      label: z.boolean(),
      rule: z.string(),
      confidence: z.number().min(0).max(1),
    }),
  ),
});

export type RowLineage = z.infer<typeof rowLineageSchema>;

/** Says what a row was made from. */
export function lineageOfRow(row: SelectedRow & { id: string }): RowLineage {
  const origins = originsOf(row);
  const all = <T>(of: (origin: AnswerOrigin) => readonly T[]): T[] => [...new Set(origins.flatMap(of))];
  return {
    id: row.id as RowLineage["id"],
    part: row.part,
    turns: all(({ turn }) => [turn]),
    attempts: all(({ attempt }) => [attempt]),
    runs: all(({ run }) => [run]),
    tips: all(({ tips }) => tips),
    verifiers: all(({ verifierId, verifierVersion }) => [`${verifierId}@${verifierVersion}`]),
    answers: origins.map(({ model, label, rule, confidence }) => ({ model, label, rule, confidence })),
  };
}
