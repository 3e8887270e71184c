/**
 * The configuration by which Axolotl trains on our tokenised rows with our hyper-parameters, one key for each. Pure.
 * Checked against the pydantic schema of axolotl 0.19.0 (`axolotl.utils.schemas.config.AxolotlInputConfig`).
 */
import { Refusal } from "../foundation/errors.ts";
import type { TrainConfig } from "../records/adapter-manifest.ts";
import type { MemoryUse, Support } from "./backend.ts";

/** What Axolotl has no equal of, or has one that means something else. */
export const AXOLOTL_ONLY: Support["only"] = {
  trains: ["lora"],
  validateEvery: [null],
  patience: [null],
  maxKl: [null],
  rehearsal: [null],
};

/**
 * Axolotl fills packed sequences, loads models with their towers, and in 4 bits casts what is not quantised to float32 (PEFT's
 * `prepare_model_for_kbit_training`). Liger's loss makes logits of every token: in chunks, smaller than ours, while it trains,
 * and all of a row at once while it validates.
 */
export const AXOLOTL_MEMORY: MemoryUse = { fillsSequences: true, loadsTowers: true, castsUp: true, savesLogits: false };

const OPTIMIZERS = { adamw: "adamw_torch_fused", "adamw-8bit": "adamw_bnb_8bit" };

/**
 * A loss that makes no full logits while it trains, for every family here. Liger's kernels come with Axolotl; those of its
 * cut cross-entropy do not, and a configuration that asks for that ends where they are not installed.
 * Source: Axolotl 0.19.0, src/axolotl/integrations/liger/README.md; liger-kernel 0.8.1, `MODEL_TYPE_TO_APPLY_LIGER_FN`.
 */
const LOSS = { plugins: ["axolotl.integrations.liger.LigerPlugin"], liger_fused_linear_cross_entropy: true };

export interface AxolotlInputs {
  baseFolder: string;
  /** Regular expression over whole names of modules. */
  loraTargets: string;
  config: TrainConfig;
  trainFile: string;
  /** Null where there are no validation rows. */
  validationFile: string | null;
  outputFolder: string;
  preparedFolder: string;
}

/**
 * Returns the configuration as YAML. Throws: `UNSUPPORTED_SETTING` where a step is no whole number of micro batches.
 * Source: Axolotl, docs/dataset-formats/tokenized.qmd (an empty `type` means tokenised rows) and docs/config-reference.
 */
export function axolotlConfig(inputs: AxolotlInputs): string {
  const { config } = inputs;
  const rows = (path: string) => ({ path, ds_type: "json", type: null });
  const { validationFile } = inputs;
  return yaml({
    base_model: inputs.baseFolder,
    datasets: [rows(inputs.trainFile)],
    ...(validationFile !== null && {
      test_datasets: [{ ...rows(validationFile), split: "train" }],
      evals_per_epoch: 1,
      eval_batch_size: 1, // as all logits of a row are made at once while it validates
    }),
    val_set_size: 0,
    dataset_prepared_path: inputs.preparedFolder,
    output_dir: inputs.outputFolder,
    sequence_len: config.maxTokens,
    excess_length_strategy: config.tooLong === "drop" ? "drop" : "raise",
    sample_packing: config.packing,
    eval_sample_packing: config.packing,
    pad_to_sequence_len: config.packing,
    ...adapterKeys(inputs),
    ...batchKeys(config),
    num_epochs: config.epochs,
    optimizer: OPTIMIZERS[config.optimizer],
    learning_rate: config.learningRate,
    lr_scheduler: "linear",
    warmup_steps: config.warmupSteps,
    weight_decay: 0,
    adam_beta2: config.adamBeta2,
    max_grad_norm: config.maxGradNorm,
    seed: config.seed,
    bf16: "auto",
    gradient_checkpointing: config.gradientCheckpointing,
    ...(config.gradientCheckpointing && { gradient_checkpointing_kwargs: { use_reentrant: false } }),
    attn_implementation: "sdpa",
    ...LOSS,
    logging_steps: 1,
    saves_per_epoch: 1,
    save_total_limit: 2,
    auto_resume_from_checkpoints: true,
  });
}

function adapterKeys({ config, loraTargets }: AxolotlInputs): object {
  const isQuantised = config.quantization === "nf4";
  return {
    adapter: isQuantised ? "qlora" : "lora",
    load_in_4bit: isQuantised,
    ...(isQuantised && { bnb_config_kwargs: { bnb_4bit_quant_type: "nf4", bnb_4bit_use_double_quant: true } }),
    lora_r: config.rank,
    lora_alpha: wholeAlpha(config.alpha),
    lora_dropout: config.dropout,
    lora_target_modules: loraTargets,
  };
}

function wholeAlpha(alpha: number): number {
  if (Number.isInteger(alpha)) return alpha;
  throw new Refusal({
    code: "UNSUPPORTED_SETTING",
    message: "Axolotl takes whole numbers for alpha alone.",
    got: `alpha ${alpha}`,
    fix: "choose another --alpha, or train with --backend peft",
  });
}

function batchKeys({ batchSize, microBatchSize }: TrainConfig): object {
  const micro = microBatchSize ?? batchSize;
  if (batchSize % micro !== 0) {
    throw new Refusal({
      code: "UNSUPPORTED_SETTING",
      message: "Axolotl makes a step of whole micro batches.",
      expected: `a batch size that ${micro} divides`,
      got: `batchSize ${batchSize}, microBatchSize ${micro}`,
      fix: "choose another --micro-batch-size",
    });
  }
  return { micro_batch_size: micro, gradient_accumulation_steps: batchSize / micro };
}

/** One key a line, its value as JSON, which YAML holds; numbers without an exponent, which YAML 1.1 takes for text. */
function yaml(keys: Record<string, unknown>): string {
  const scalar = (value: unknown) => {
    const text = JSON.stringify(value);
    return typeof value === "number" && text.includes("e") ? value.toFixed(20).replace(/0+$/, "") : text;
  };
  return `${Object.entries(keys)
    .map(([key, value]) => `${key}: ${scalar(value)}`)
    .join("\n")}\n`;
}
