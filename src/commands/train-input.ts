/**
 * The options of `tracemill train`: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { trainConfigSchema } from "../records/adapter-manifest.ts";
import { LAUNCHES } from "../train/index.ts";

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
  quantize: config.quantization.describe("how the frozen base is held: as it is, or in 4 bits (QLoRA)"),
  optimizer: config.optimizer.describe("AdamW with its state in 32 bits, or in 8"),
  gradientCheckpointing: config.gradientCheckpointing.describe("compute activations twice, for less memory"),
  full: z.boolean().default(false).describe("train all weights; what comes out is a base of its own"),
  launch: z.enum(LAUNCHES).default("single").describe("one process, or one a GPU with a part of every block each"),
  merge: z.boolean().default(false).describe("also write the adapter merged into its base, as merged/ in its folder"),
  out: z.string().optional().describe("a new or empty folder for a copy, where a model server looks for it"),
  seed: config.seed.default(1).describe("seed of the initial weights and the order of the rows"),
});
