/**
 * `adapters/<hash>/manifest.json`: a LoRA, what it was trained on and how. `adapterHash` is the hash of the manifest
 * without that key. `probes.json` beside it holds what the canary compares.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { hashSchema } from "./ids.ts";

export const TRAINS = ["lora", "full"] as const;
export const QUANTIZATIONS = ["none", "nf4"] as const;
export const OPTIMIZERS = ["adamw", "adamw-8bit"] as const;

export const STOPPED_BY = ["patience", "max-kl"] as const;

/** One step. What a method reports of its own (`margin`, `gradNorm`) stands beside, as `validation` what it found there. */
export const curvePointSchema = z
  .object({
    step: z.int().min(0),
    epoch: z.number().min(0),
    loss: z.number().nullable(),
    validationLoss: z.number().nullable(),
    validation: z.record(z.string(), z.number()).optional(),
    learningRate: z.number().nullable(),
  })
  .catchall(z.number());

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
  /** A LoRA beside frozen weights, or all weights. */
  trains: z.enum(TRAINS).default("lora"),
  /** How the frozen weights are held while training. */
  quantization: z.enum(QUANTIZATIONS).default("none"),
  /** Rows that are in memory together; null: the whole batch. */
  microBatchSize: z.int().min(1).nullable().default(null),
  /** Whether several rows share one sequence, none seeing another. */
  packing: z.boolean().default(false),
  optimizer: z.enum(OPTIMIZERS).default("adamw"),
  maxGradNorm: z.number().gt(0).default(1),
  adamBeta2: z.number().gt(0).lt(1).default(0.999),
  gradientCheckpointing: z.boolean().default(false),
  /** How strongly preference methods hold to the base. */
  beta: z.number().gt(0).default(0.1),
  /** Steps between two validations; null: one at the end of each epoch. */
  validateEvery: z.int().min(1).nullable().default(null),
  /** Validations without a lower loss after which the training ends; null: never. */
  patience: z.int().min(1).nullable().default(null),
  /** General rows that are mixed in, as a fraction of all rows of a training; null: none. */
  rehearsal: z
    .object({ file: z.string(), hash: hashSchema, fraction: z.number().gt(0).lt(1) })
    .nullable()
    .default(null),
  /** Nats a token from the base, at which the training ends; null: no limit. */
  maxKl: z.number().gt(0).nullable().default(null),
  /** Rows of more than `maxTokens`: refused, or dropped and counted. None is ever cut. */
  tooLong: z.enum(["refuse", "drop"]).default("refuse"),
});

export const adapterManifestSchema = z.object({
  adapterHash: hashSchema,
  name: z.string().nullable(),
  base: z.string(),
  baseHash: hashSchema,
  tokenizerHash: hashSchema,
  templateHash: hashSchema,
  datasetHash: hashSchema,
  /** The adapter whose weights the training began with; null: none. */
  parent: hashSchema.nullable().default(null),
  skills: z.array(z.string()),
  role: z.string(),
  method: z.string(),
  backend: z.string(),
  config: trainConfigSchema,
  versions: z.record(z.string(), z.string()),
  curve: z.array(curvePointSchema),
  trainedTokens: z.int().min(0),
  /** What ended the training before all rows had been trained on. */
  stoppedBy: z.enum(STOPPED_BY).optional(),
  /** The step whose weights these are, where patience kept the best ones. */
  bestStep: z.int().optional(),
  /** Rows that were too long and left out: to train on, to validate on, and of the general ones before any are drawn. */
  droppedRows: z.int().min(1).optional(),
  droppedValidationRows: z.int().min(1).optional(),
  droppedRehearsalRows: z.int().min(1).optional(),
  durationMs: z.number().min(0),
  /** Why there is no adapter.gguf; absent where there is one. */
  ggufRefused: z.string().optional(),
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
export type StoppedBy = (typeof STOPPED_BY)[number];
export type Probes = z.infer<typeof probesSchema>;
