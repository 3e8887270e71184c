/**
 * The trainer's tokens a second against a plain TRL script's, with the rows of a quick demo, its settings and one thread, in
 * turns in one Python process; the same with packed rows, and the loss on rows of other families that each leaves. TRL is tuned
 * by what its settings offer; as its defaults have it, it takes minutes a batch where the processor has no bf16, and is
 * left out there. `BENCH_TRAIN_ROUNDS` says how many rounds there are at most, `BENCH_TRAIN_SECONDS` when none is begun any more.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { python } from "../src/train/index.ts";
import type { BenchRow } from "./bench-row.ts";
import { writeHeldOutRows } from "./homes/held-out-rows.ts";
import { quickRound } from "./homes/quick-round.ts";

/** On a busy machine two would wait for each other. */
const THREADS = 1;
/** Each has a seed of its own, so that the losses tell how much lies in that. */
const ROUNDS = Number(process.env.BENCH_TRAIN_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_TRAIN_SECONDS ?? 400);
/** The demo has three; two make steps enough. */
const EPOCHS = 2;
/** As the base's family has it: src/train/families/llama.ts. */
const LEARNING_RATE = 4e-4;

const ofEach = <T extends z.ZodType>(figure: T) =>
  z.object({ ours: figure, packed: figure, tuned: figure, defaults: figure.optional() });

const speedSchema = z.object({
  tokensPerSecond: ofEach(z.number()),
  tokensPerCpuSecond: ofEach(z.number()),
  losses: ofEach(z.array(z.number()).min(1)),
  steps: ofEach(z.int()),
  rounds: z.int(),
  rows: z.int(),
  validationRows: z.int(),
  tokens: z.int(),
  paddedTokens: z.int(),
});

type Speed = z.infer<typeof speedSchema>;

export async function benchTrain(): Promise<BenchRow[]> {
  const { home, base, dataset, settings } = await quickRound();
  const { skill, seed } = settings;
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-train-"));
  try {
    const tokens = join(scratch, "tokens");
    await mkdir(tokens);
    await copyFile(join(home.datasetFolder(dataset), "tokens/train.parquet"), join(tokens, "train.parquet"));
    await writeHeldOutRows(home, { base, skill, seed, target: join(tokens, "validation.parquet") });
    const request = {
      ...{ base: resolve(home.baseFolder(base.name), base.hfFolder), dataset: scratch },
      ...{
        config: { ...settings.train, learningRate: LEARNING_RATE, epochs: EPOCHS, seed },
        rounds: ROUNDS,
        seconds: SECONDS,
        threads: THREADS,
      },
    };
    return rowsOf(await (await python()).run("speed", request, { result: speedSchema }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function rowsOf({ tokensPerSecond, tokensPerCpuSecond, losses, steps, ...of }: Speed): BenchRow[] {
  const row = (name: string, mine: number, peer: number, unit: string) => ({
    ...{ name, ours: mine, peer, ratio: mine / peer, unit },
  });
  const taken = `best of ${of.rounds} rounds of ${of.rows} rows, ${of.tokens} tokens, ${steps.ours} and ${steps.tuned} steps, one thread`;
  const wasted = of.paddedTokens / of.tokens;
  const loss = (name: string, mine: number[], peer: number[]) =>
    row(`${name} (${mine.join(", ")}; ${peer.join(", ")})`, mean(mine), mean(peer), "nats/token");
  return [
    ...[
      { unit: "tokens/s", speeds: tokensPerSecond },
      { unit: "tokens/s of processor time", speeds: tokensPerCpuSecond },
    ].flatMap(({ unit, speeds: { ours, packed, tuned, defaults } }) => [
      row(`LoRA training, against TRL tuned (${taken})`, ours, tuned, unit),
      ...(defaults === undefined ? [] : [row("LoRA training, against TRL's defaults", ours, defaults, unit)]),
      row("LoRA training packed, against TRL tuned", packed, tuned, unit),
      row("packed against unpacked, against padded / real tokens unpacked", packed / ours, wasted, "times"),
    ]),
    loss(`loss on ${of.validationRows} held-out rows, against TRL tuned`, losses.ours, losses.tuned),
    loss("the same, packed", losses.packed, losses.tuned),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
