/**
 * `datasets/<hash>/manifest.json`: what a dataset holds, what it was made from, and why rows were refused.
 * `datasetHash` is the hash of the manifest without that key, so the same inputs, seed and versions give the same one.
 */
import { z } from "zod";
import { hashSchema, runIdSchema } from "./ids.ts";

export const datasetFileSchema = z.object({ path: z.string(), hash: hashSchema, rows: z.int().min(0) });

export const refusalCountSchema = z.object({
  /** Stable name of the filter or gate: `incomplete`, `exact-duplicate`, `prompt-not-prefix`, ... */
  reason: z.string(),
  count: z.int().min(0),
  /** Up to three turns that were refused for it. */
  examples: z.array(z.string()),
});

export const datasetManifestSchema = z.object({
  datasetHash: hashSchema,
  skills: z.array(z.string()),
  role: z.string(),
  format: z.string(),
  filter: z.string(),
  settings: z.object({
    /** Whether rendered tips were taken out of the prompts (`drop`) or left in. */
    tips: z.enum(["drop", "keep"]),
    /** What is trained on: the recorded answer, or only the action that the verifier judged, in the skill's own form. */
    target: z.enum(["answer", "action"]),
    maxPerItem: z.int().min(1),
    maxTokens: z.int().min(1),
  }),
  base: z.string(),
  tokenizerHash: hashSchema,
  templateHash: hashSchema,
  inputs: z.object({
    runs: z.array(z.object({ run: runIdSchema, head: hashSchema })),
    /** Hash of the ledger's last entry about these runs: what is said later of other things does not change it. */
    ledgerHead: hashSchema,
  }),
  seed: z.int(),
  counts: z.object({
    examples: z.int().min(0),
    trainRows: z.int().min(0),
    validationRows: z.int().min(0),
    trainTokens: z.int().min(0),
    trainedTokens: z.int().min(0),
    items: z.int().min(0),
    /** Families of the training rows: a comparison may hold none of them. */
    families: z.array(z.string()),
  }),
  refusals: z.array(refusalCountSchema),
  files: z.array(datasetFileSchema),
  codeVersion: z.string(),
  /** The dataset whose clean successor this one is: the same settings over the same runs, without what was revoked since. */
  replaces: hashSchema.optional(),
});

export type ExportSettings = DatasetManifest["settings"];
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;
export type RefusalCount = z.infer<typeof refusalCountSchema>;
