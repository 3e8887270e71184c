/**
 * `adapters/<hash>/manifest.json`: a LoRA, what it was trained on and how. `adapterHash` is the hash of the manifest
 * without that key. `probes.json` beside it holds what the canary compares.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { hashSchema } from "./ids.ts";

export const curvePointSchema = z.object({
  step: z.int().min(0),
  epoch: z.number().min(0),
  loss: z.number().nullable(),
  validationLoss: z.number().nullable(),
  learningRate: z.number().nullable(),
});

export const trainConfigSchema = z.object({
  rank: z.int().min(1),
  alpha: z.number().gt(0),
  dropout: z.number().min(0).max(1),
  learningRate: z.number().gt(0),
  epochs: z.number().gt(0),
  batchSize: z.int().min(1),
  warmupSteps: z.int().min(0),
  maxTokens: z.int().min(1),
  seed: z.int(),
});

export const adapterManifestSchema = z.object({
  adapterHash: hashSchema,
  name: z.string().nullable(),
  base: z.string(),
  baseHash: hashSchema,
  tokenizerHash: hashSchema,
  templateHash: hashSchema,
  datasetHash: hashSchema,
  skills: z.array(z.string()),
  role: z.string(),
  method: z.string(),
  backend: z.string(),
  config: trainConfigSchema,
  versions: z.record(z.string(), z.string()),
  curve: z.array(curvePointSchema),
  trainedTokens: z.int().min(0),
  durationMs: z.number().min(0),
  files: z.array(z.object({ path: z.string(), sizeBytes: z.int().min(0), hash: hashSchema })),
});

/** What an adapter is called where people read: its name, or the start of its hash. */
export function adapterLabel({ name, adapterHash }: { name: string | null; adapterHash: string }): string {
  return name ?? shortHash(adapterHash);
}

/** `probes.json`: token ids, and the log-probability (natural) of each token after the first, by base and by base + adapter. */
export const probesSchema = z.object({
  dtype: z.string(),
  probes: z
    .array(
      z.object({
        ids: z.array(z.int().min(0)).min(2),
        baseLogprobs: z.array(z.number()),
        adapterLogprobs: z.array(z.number()),
      }),
    )
    .min(1),
});

export type AdapterManifest = z.infer<typeof adapterManifestSchema>;
export type TrainConfig = z.infer<typeof trainConfigSchema>;
export type CurvePoint = z.infer<typeof curvePointSchema>;
export type Probes = z.infer<typeof probesSchema>;
