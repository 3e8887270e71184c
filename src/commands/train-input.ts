/**
 * The options of `tracemill train`, and those of them that `tracemill loop` takes: one table for the parser, the help and the
 * reference.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { trainConfigSchema } from "../records/adapter-manifest.ts";
import { LAUNCHES, type TrainSettings } from "../train/index.ts";

const config = trainConfigSchema.shape;

export const trainInput = z.object({
  dataset: z.array(z.string()).min(1).describe("hash of a dataset, or a prefix of it; several with --per-role"),
  base: z.string().describe("the base that the adapter is for"),
  method: z
    .string()
    .default("sft")
    .describe(
      "how it is trained: sft on demonstrations, dpo on preference-pairs, kto on judged answers (one row at once, by --batch-size 1 or --micro-batch-size 1: APO's unpaired loss)",
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
  tooLong: config.tooLong.describe("rows of more tokens than that: refuse the training, or drop and count them"),
  microBatchSize: z
    .int()
    .min(1)
    .optional()
    .describe("rows in memory at once; a batch is made of several (default: the whole batch)"),
  packing: config.packing.describe("lay rows end to end instead of padding them; none sees another"),
  validateEvery: z
    .int()
    .min(1)
    .optional()
    .describe("validate after so many steps, and look at --patience and --max-kl (default: at the end of each epoch)"),
  patience: z
    .int()
    .min(1)
    .optional()
    .describe("end after so many validations without a lower loss, and keep the best weights (default: never)"),
  rehearse: z
    .string()
    .optional()
    .describe("mix in general rows: a JSONL file of conversations and their fraction of all rows, FILE:0.1"),
  maxKl: z.number().gt(0).optional().describe("end where the model is further from its base, in nats a token"),
  maxGradNorm: config.maxGradNorm
    .removeDefault()
    .optional()
    .describe("gradients of a larger norm are scaled down to it (default: the model family's)"),
  quantize: config.quantization.describe("how the frozen base is held: as it is, or in 4 bits (QLoRA)"),
  optimizer: config.optimizer.describe("AdamW with its state in 32 bits, or in 8"),
  gradientCheckpointing: config.gradientCheckpointing.describe("compute activations twice, for less memory"),
  full: z.boolean().default(false).describe("train all weights; what comes out is a base of its own"),
  launch: z.enum(LAUNCHES).default("single").describe("one process, or one a GPU with a part of every block each"),
  merge: z.boolean().default(false).describe("also write the adapter merged into its base, as merged/ in its folder"),
  out: z.string().optional().describe("a new or empty folder for a copy, where a model server looks for it"),
  seed: config.seed.default(1).describe("seed of the initial weights and the order of the rows"),
  plan: z.boolean().default(false).describe("tell whether it fits and how long it takes, and train nothing"),
  gpus: z.string().optional().describe("plan for these: 4xL4, 2xA100-80, 4x24GB or cpu (default: what is here)"),
  writeConfig: z
    .string()
    .optional()
    .describe("write the backend's configuration and rows into this folder, and train nothing"),
  unplanned: z.boolean().default(false).describe("train even where the plan says that it does not fit"),
});

const { epochs, batchSize, maxTokens, ...options } = trainInput.shape;

/** What a loop may be told of its training: its length, its rate, and all that a plan may advise. */
export const loopTrainInput = z.object({
  ...{ learningRate: options.learningRate, epochs: ofPreset(epochs), batchSize: ofPreset(batchSize) },
  ...{ maxTokens: ofPreset(maxTokens), tooLong: options.tooLong, microBatchSize: options.microBatchSize },
  ...{ quantize: options.quantize, optimizer: options.optimizer, launch: options.launch },
  ...{ gradientCheckpointing: options.gradientCheckpointing, unplanned: options.unplanned },
});

function ofPreset<T extends z.ZodType>(option: z.ZodDefault<T>) {
  return option.removeDefault().optional().describe(`${option.description} (default: the preset's)`);
}

/** The settings of a training among the options; what was not given is the family's, or off. */
export function settingsFrom(options: z.output<typeof trainInput>): TrainSettings {
  const { rank, alpha, dropout, epochs, batchSize, warmupSteps, maxTokens, seed, beta, tooLong } = options;
  const { packing, optimizer, gradientCheckpointing, quantize, full, learningRate, maxGradNorm } = options;
  const { microBatchSize = null, validateEvery = null, patience = null, maxKl = null } = options;
  return {
    ...{ rank, alpha, dropout, epochs, batchSize, warmupSteps, maxTokens, seed, beta, tooLong },
    ...{ packing, optimizer, gradientCheckpointing, microBatchSize, validateEvery, patience, maxKl },
    ...{ quantization: quantize, trains: full ? "full" : "lora" },
    ...(learningRate !== undefined && { learningRate }),
    ...(maxGradNorm !== undefined && { maxGradNorm }),
  };
}

/** Reads `FILE:FRACTION`. Throws: `BAD_ARGUMENT`. */
export function rehearsalFrom(text: string): { file: string; fraction: number } {
  const [, file = "", share = ""] = /^(.+):([0-9.]+)$/.exec(text) ?? [];
  const fraction = Number(share);
  if (file !== "" && fraction > 0 && fraction < 1) return { file, fraction };
  throw new Refusal({
    code: "BAD_ARGUMENT",
    message: "--rehearse names a file and what fraction of all rows comes from it.",
    expected: "FILE:FRACTION, the fraction between 0 and 1",
    got: text,
    fix: "--rehearse general.jsonl:0.1",
  });
}
