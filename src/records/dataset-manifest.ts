/**
 * `datasets/<hash>/manifest.json`: what a dataset holds, what it was made from, and why rows were refused.
 * `datasetHash` is the hash of the manifest without that key, so the same inputs, seed and versions give the same one.
 */
import { z } from "zod";
import { hashSchema, runIdSchema } from "./ids.ts";
import { clauseCountSchema, refusalCountSchema } from "./refusal-tally.ts";
import { PARTS, TIERS, TRIES, UNITS } from "./selection.ts";

export const datasetFileSchema = z.object({ path: z.string(), hash: hashSchema, rows: z.int().min(0) });

/** Texts that were taken out of the rows, as secrets are. */
const scrubSchema = z.object({
  on: z.boolean(),
  /** Why it is off; null where it is on. */
  reason: z.string().nullable(),
  /** How many texts of each kind were taken out. */
  counts: z.record(z.string(), z.int().min(0)),
});

/** Answers by their label among the training rows, and weights of their losses that even the two out for KTO. */
const labelBalanceSchema = z.object({
  good: z.int().min(0),
  bad: z.int().min(0),
  goodWeight: z.number().gt(0),
  badWeight: z.number().gt(0),
});

/** Means over the training pairs: where one side is longer, a preference for length may be what is learned. */
const pairLengthsSchema = z.object({
  chosenCharacters: z.number().min(0),
  rejectedCharacters: z.number().min(0),
  chosenTokens: z.number().min(0).nullable(),
  rejectedTokens: z.number().min(0).nullable(),
});

export const datasetManifestSchema = z.object({
  datasetHash: hashSchema,
  tier: z.enum(TIERS).default("demonstrations"),
  skills: z.array(z.string()),
  /** One role, or a name for several (`role-names.ts`). */
  role: z.string(),
  format: z.string(),
  filter: z.string(),
  settings: z.object({
    /** Whether rendered tips were taken out of the prompts (`drop`) or left in. */
    tips: z.enum(["drop", "keep"]),
    /** What is trained on: the recorded answer, or only the action that the verifier judged, in the skill's own form. */
    target: z.enum(["answer", "action"]),
    /** Whether a row is one turn, or a whole attempt. */
    unit: z.enum(UNITS).default("turn"),
    /** Which attempts at an item counted. */
    tries: z.enum(TRIES).default("all"),
    /** Share of passed attempts that an item had to have; null for any. */
    band: z.object({ low: z.number(), high: z.number() }).nullable().default(null),
    /** How surely an item was left out that every attempt solved, a fraction. */
    dampEasy: z.number().min(0).max(1).default(0),
    /** Sampling temperatures; 1 leaves shares as they are. */
    balance: z.object({ families: z.number().min(1), skills: z.number().min(1) }).default({ families: 1, skills: 1 }),
    /** Similarity from which two rows were near-duplicates; null where they were not looked for. */
    nearThreshold: z.number().gt(0).max(1).nullable().default(null),
    /** Hosted models whose answers were allowed. */
    allowTeachers: z.array(z.string()).default([]),
    maxPerItem: z.int().min(1),
    /** Null where there is no base to count them with. */
    maxTokens: z.int().min(1).nullable(),
  }),
  /** What each clause of the filter left out, in the order written. */
  clauses: z.array(clauseCountSchema).default([]),
  /** Integrity gates that the user switched off. */
  gatesOff: z.array(z.string()).default([]),
  scrub: scrubSchema.nullable().default(null),
  /** Null where the rows were not rendered: the dataset then holds texts alone. */
  base: z.string().nullable(),
  tokenizerHash: hashSchema.nullable(),
  templateHash: hashSchema.nullable(),
  inputs: z.object({
    runs: z.array(z.object({ run: runIdSchema, head: hashSchema })),
    /** Hash of the ledger's last entry about these runs: what is said later of other things does not change it. */
    ledgerHead: hashSchema,
    /** Registered comparisons whose items were held out; absent where there were none. */
    comparisons: z.array(hashSchema).optional(),
  }),
  seed: z.int(),
  counts: z.object({
    examples: z.int().min(0),
    trainRows: z.int().min(0),
    validationRows: z.int().min(0),
    trainTokens: z.int().min(0).nullable(),
    trainedTokens: z.int().min(0).nullable(),
    items: z.int().min(0),
    /** Families of the training rows: a comparison may hold none of them. */
    families: z.array(z.string()),
  }),
  /** Rows by the models that wrote their answers, in either part; a pair of two models counts for both. */
  models: z.array(z.object({ model: z.string().nullable(), rows: z.int().min(1) })).default([]),
  /** What made the rows' labels: `verdict`, or rules of roles. */
  rules: z.array(z.string()).default([]),
  bySkill: z
    .array(z.object({ skill: z.string(), trainRows: z.int().min(0), validationRows: z.int().min(0) }))
    .default([]),
  byFamily: z
    .array(z.object({ skill: z.string(), family: z.string(), part: z.enum(PARTS), rows: z.int().min(1) }))
    .default([]),
  labels: labelBalanceSchema.nullable().default(null),
  pairLengths: pairLengthsSchema.nullable().default(null),
  refusals: z.array(refusalCountSchema),
  files: z.array(datasetFileSchema),
  codeVersion: z.string(),
  /** The dataset whose clean successor this one is: the same settings over the same runs, without what was revoked since. */
  replaces: hashSchema.optional(),
});

export type ExportSettings = DatasetManifest["settings"];
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;
