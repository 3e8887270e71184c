/**
 * The options of `tracemill train`: one table for the parser, the help and the reference.
 */
import { z } from "zod";
import { trainConfigSchema } from "../records/adapter-manifest.ts";

const config = trainConfigSchema.shape;

export const trainInput = z.object({
  dataset: z.string().describe("hash of a dataset, or a prefix of it"),
  base: z.string().describe("the base that the adapter is for"),
  method: z.string().default("sft").describe("how it is trained"),
  backend: z.string().default("peft").describe("what trains it"),
  name: z.string().optional().describe("a name for the adapter; it can never be given to another one"),
  rank: config.rank.default(16).describe("rank of the LoRA"),
  alpha: config.alpha.default(32).describe("the LoRA is scaled by alpha / rank"),
  dropout: config.dropout.default(0).describe("dropout in front of the LoRA"),
  learningRate: config.learningRate
    .optional()
    .describe("peak learning rate; falls linearly to 0 (default: the model family's)"),
  epochs: config.epochs.default(4).describe("times that each row is trained on"),
  batchSize: config.batchSize.default(8).describe("rows a step"),
  warmupSteps: config.warmupSteps.default(5).describe("steps in which the learning rate rises"),
  maxTokens: config.maxTokens.default(1024).describe("most tokens of a row; longer ones are refused, never cut"),
  seed: config.seed.default(1).describe("seed of the initial weights and the order of the rows"),
  plan: z.boolean().default(false).describe("tell whether it fits and how long it takes, and train nothing"),
  gpus: z.string().optional().describe("plan for these: 4xL4, 2xA100-80, 4x24GB or cpu (default: what is here)"),
  writeConfig: z
    .string()
    .optional()
    .describe("write the backend's configuration and rows into this folder, and train nothing"),
  unplanned: z.boolean().default(false).describe("train even where the plan says that it does not fit"),
});
