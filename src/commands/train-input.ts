/**
 * The options of `tracemill train`: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { trainConfigSchema } from "../records/adapter-manifest.ts";

const config = trainConfigSchema.shape;

export const trainInput = z.object({
  dataset: z.array(z.string()).min(1).describe("hash of a dataset, or a prefix of it; several with --per-role"),
  base: z.string().describe("the base that the adapter is for"),
  method: z
    .string()
    .default("sft")
    .describe(
      "how it is trained: sft on demonstrations, dpo on preference-pairs, kto on judged answers (with --batch-size 1 by APO's unpaired loss)",
    ),
  from: z
    .string()
    .optional()
    .describe("an adapter of the base whose weights are gone on from, and which dpo and kto hold to (default: none)"),
  perRole: z
    .boolean()
    .default(false)
    .describe("train an adapter for each dataset, all of different roles, named NAME-ROLE; else there is one dataset"),
  backend: z.string().default("peft").describe("what trains it"),
  name: z.string().optional().describe("a name for the adapter; it can never be given to another one"),
  rank: config.rank.default(16).describe("rank of the LoRA"),
  alpha: config.alpha.default(32).describe("the LoRA is scaled by alpha / rank"),
  dropout: config.dropout.default(0).describe("dropout in front of the LoRA"),
  learningRate: config.learningRate
    .optional()
    .describe("peak learning rate; falls linearly to 0 (default: the model family's)"),
  beta: config.beta.describe("how strongly dpo and kto hold to the base, or to --from"),
  epochs: config.epochs.default(4).describe("times that each row is trained on"),
  batchSize: config.batchSize.default(8).describe("rows a step"),
  warmupSteps: config.warmupSteps.default(5).describe("steps in which the learning rate rises"),
  maxTokens: config.maxTokens.default(1024).describe("most tokens of a row; longer ones are refused, never cut"),
  seed: config.seed.default(1).describe("seed of the initial weights and the order of the rows"),
});
