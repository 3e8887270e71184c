/**
 * Everything that is said after a run is sealed, and of what is made from runs. A line of `ledger.jsonl` has the
 * same shape and chain as a line of a run log.
 */
import { z } from "zod";
import { hashSchema, runIdSchema } from "./ids.ts";

const entrySchemas = {
  run_sealed: z.object({ run: runIdSchema, head: hashSchema, events: z.int().min(1), skill: z.string() }),
  base_registered: z.object({ name: z.string(), baseHash: hashSchema }),
  dataset_registered: z.object({ datasetHash: hashSchema }),
  adapter_registered: z.object({ adapterHash: hashSchema, name: z.string().nullable() }),
  comparison_planned: z.object({ comparisonHash: hashSchema }),
  decision_made: z.object({ comparisonHash: hashSchema, adapterHash: hashSchema, verdict: z.string() }),
} as const;

export type EntryType = keyof typeof entrySchemas;
export type EntryData<T extends EntryType> = z.infer<(typeof entrySchemas)[T]>;
export type LedgerEntry = { [T in EntryType]: { type: T; data: EntryData<T> } }[EntryType];
export type LoggedEntry = LedgerEntry & { seq: number; at: string; prev: string };

const types = Object.keys(entrySchemas) as EntryType[];
const envelope = { seq: z.int().min(0), at: z.iso.datetime({ precision: 3 }), prev: hashSchema };

export const loggedEntrySchema = z.discriminatedUnion(
  "type",
  types.map((type) => z.object({ ...envelope, type: z.literal(type), data: entrySchemas[type] })) as never,
) as unknown as z.ZodType<LoggedEntry>;
