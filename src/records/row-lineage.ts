/**
 * `datasets/<hash>/rows.jsonl`: for each row of a dataset what it was made from, whatever the format of the rows. Through
 * this a row is found from a run, an attempt, a turn, a tip or a verifier, and these from a row.
 */
import { z } from "zod";
import { attemptIdSchema, rowIdSchema, runIdSchema, tipIdSchema, turnIdSchema } from "./ids.ts";
import { PARTS, type SelectedExample } from "./selection.ts";

export const rowLineageSchema = z.object({
  id: rowIdSchema,
  part: z.enum(PARTS),
  turns: z.array(turnIdSchema),
  attempts: z.array(attemptIdSchema),
  runs: z.array(runIdSchema),
  /** Tips that the prompts held as they were sent, also where the row is without them. */
  tips: z.array(tipIdSchema),
  /** `<id>@<version>` of each verifier whose verdict the row's label is. */
  verifiers: z.array(z.string()),
  /** What the row stands in the place of; empty where that is nothing but itself. */
  replaces: z.array(z.string()),
});

export type RowLineage = z.infer<typeof rowLineageSchema>;

/** Says what a row was made from that is one example. */
export function lineageOfRow(row: SelectedExample & { id: string }): RowLineage {
  const { id, part, turn, attempt, run, tips, verifierId, verifierVersion } = row;
  const made = { turns: [turn], attempts: [attempt], runs: [run], tips };
  return { id: id as RowLineage["id"], part, ...made, verifiers: [`${verifierId}@${verifierVersion}`], replaces: [] };
}
