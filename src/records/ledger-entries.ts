/**
 * Everything that is said after a run is sealed, and of what is made from runs. A line of `ledger.jsonl` has the
 * same shape and chain as a line of a run log.
 */
import { z } from "zod";
import { attemptIdSchema, hashSchema, runIdSchema, tipIdSchema } from "./ids.ts";
import { SPLITS } from "./item.ts";
import { verdictSchema } from "./verdict.ts";

/** By whom a tip is retired: a person, its effect, its mean outcome, or a tip that says the same. */
export const RETIREMENT_RULES = ["hand", "effect", "classic", "merged"] as const;

/** What can be revoked: whatever was learnt from it counts no more. */
export const REVOCABLE = ["run", "attempt", "tip", "verifier", "dataset"] as const;

/** Who says a verdict later: someone who knows what came of it, the verifier itself once more, or a list of labels. */
export const VERDICT_ORIGINS = ["outcome", "reverify", "label"] as const;

/** Where an adapter is promoted: for a skill, or for one role of it; the skill `default` stands for all of them. */
const placeShape = { skill: z.string().min(1), role: z.string().min(1).nullable() };

const entrySchemas = {
  run_sealed: z.object({ run: runIdSchema, head: hashSchema, events: z.int().min(1), skill: z.string() }),
  /** Said of an attempt whose log is sealed already. The latest one holds, before those of the log. */
  verdict_given: z.object({
    run: runIdSchema,
    attempt: attemptIdSchema,
    origin: z.enum(VERDICT_ORIGINS),
    verdict: verdictSchema,
  }),
  /** A recorded run's calls and the attempts and outcomes of its harness's own log are one run now: `run`. */
  run_joined: z.object({ run: runIdSchema, recorded: runIdSchema }),
  /** Two imports of one source, which had grown meanwhile: `run` holds every attempt and answer of the other. */
  run_replaced: z.object({
    run: runIdSchema,
    replaced: runIdSchema,
    /** What `run` is about, where the other one is about something else: their items differ by that alone. */
    skill: z.string().optional(),
  }),
  /** Said of a tip whose log is sealed already; that log is not touched. */
  tip_retired: z.object({
    tip: tipIdSchema,
    skill: z.string(),
    /** The run that saved it. */
    run: runIdSchema,
    reason: z.string().min(1),
    rule: z.enum(RETIREMENT_RULES),
    /** The tip that says the same and stays; null where none does. */
    mergedInto: tipIdSchema.nullable(),
    /** The figures that the rule went by; null where there are none. */
    evidence: z.record(z.string(), z.json()).nullable(),
  }),
  /** The first one of a target holds; nothing takes it back. */
  revoked: z.object({
    kind: z.enum(REVOCABLE),
    /** Run id, attempt id, tip id, `<id>@<version>` of a verifier, or hash of a dataset. */
    target: z.string().min(1),
    reason: z.string().min(1),
  }),
  base_registered: z.object({ name: z.string(), baseHash: hashSchema }),
  dataset_registered: z.object({ datasetHash: hashSchema }),
  adapter_registered: z.object({ adapterHash: hashSchema, name: z.string().nullable() }),
  comparison_planned: z.object({
    comparisonHash: hashSchema,
    /** The families that a candidate is judged on, skill by skill; none where the base is served twice. Entries of before do not say it. */
    judged: z.array(z.object({ skill: z.string(), split: z.enum(SPLITS), families: z.array(z.string()) })).optional(),
  }),
  /** The canary stood at the end of these runs, as far as their logs had come; and of what was measured beside them. */
  arms_proven: z.object({
    comparisonHash: hashSchema,
    runs: z.array(z.object({ run: runIdSchema, head: hashSchema })),
    /** Of the figures of general ability; null where there were none yet. */
    generalHash: hashSchema.nullable(),
  }),
  /** The adapter is null where the base was served twice and nothing judged. */
  decision_made: z.object({
    comparisonHash: hashSchema,
    adapterHash: hashSchema.nullable(),
    verdict: z.string(),
    /** Whether the gate lets it be promoted. */
    hasPassed: z.boolean(),
    /** Of `decision.json`; entries of before do not have it. */
    decisionHash: hashSchema.optional(),
  }),
  /** From now on this adapter answers at its place. */
  promoted: z.object({
    ...placeShape,
    adapterHash: hashSchema,
    /** The comparison whose decision allows it; null where someone overrode the gate. */
    comparisonHash: hashSchema.nullable(),
    /** Why the gate was overridden; null where it was not. */
    override: z.string().min(1).nullable(),
  }),
  /** What was promoted last at a place answers there no more; what did before is back: an adapter, or for null the base. */
  rolled_back: z.object({
    ...placeShape,
    from: hashSchema,
    to: hashSchema.nullable(),
    reason: z.string().min(1).nullable(),
  }),
} as const;

export type EntryType = keyof typeof entrySchemas;
export type EntryData<T extends EntryType> = z.infer<(typeof entrySchemas)[T]>;
export type LedgerEntry = { [T in EntryType]: { type: T; data: EntryData<T> } }[EntryType];
export type LateVerdict = EntryData<"verdict_given">;
export type TipRetirement = EntryData<"tip_retired">;
export type Revocation = EntryData<"revoked">;
export type Promotion = EntryData<"promoted">;
export type Rollback = EntryData<"rolled_back">;
export type Place = Pick<Promotion, "skill" | "role">;
export type LoggedEntry = LedgerEntry & { seq: number; at: string; prev: string };

const types = Object.keys(entrySchemas) as EntryType[];
const envelope = { seq: z.int().min(0), at: z.iso.datetime({ precision: 3 }), prev: hashSchema };

export const loggedEntrySchema = z.discriminatedUnion(
  "type",
  types.map((type) => z.object({ ...envelope, type: z.literal(type), data: entrySchemas[type] })) as never,
) as unknown as z.ZodType<LoggedEntry>;
