/**
 * The trainer's tokens a second against a plain TRL script's, with the rows of a quick demo, its settings and one thread, in
 * turns in one Python process; the same with packed rows, and the loss on its held-out rows that each leaves. TRL is tuned
 * by what its settings offer; as its defaults have it, it takes minutes a batch where the processor has no bf16, and is
 * left out there.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { python } from "../src/train/index.ts";
import type { BenchRow } from "./bench-row.ts";
import { quickRound } from "./homes/quick-round.ts";

/** On a busy machine two would wait for each other. */
const THREADS = 1;
/** Each has a seed of its own, so that the losses tell how much lies in that. */
const ROUNDS = 3;
const SECONDS = 600;

const ofEach = <T extends z.ZodType>(figure: T) =>
  z.object({ ours: figure, packed: figure, tuned: figure, defaults: figure.optional() });

const speedSchema = z.object({
  tokensPerSecond: ofEach(z.number()),
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
  const { baseFolder, datasetFolder } = home;
  const request = {
    base: resolve(baseFolder(base.name), base.hfFolder),
    dataset: datasetFolder(dataset),
    config: { ...settings.train, seed: settings.seed },
    ...{ rounds: ROUNDS, seconds: SECONDS, threads: THREADS },
  };
  return rowsOf(await (await python()).run("speed", request, { result: speedSchema }));
}

function rowsOf({ tokensPerSecond, losses, steps, ...of }: Speed): BenchRow[] {
  const { ours, packed, tuned, defaults } = tokensPerSecond;
  const row = (name: string, mine: number, peer: number, unit: string) => ({
    ...{ name, ours: mine, peer, ratio: mine / peer, unit },
  });
  const taken = `best of ${of.rounds} rounds of ${of.rows} rows, ${of.tokens} tokens, ${steps.ours} and ${steps.tuned} steps, one thread`;
  const wasted = of.paddedTokens / of.tokens;
  const loss = (name: string, mine: number[], peer: number[]) =>
    row(`${name} (${mine.join(", ")}; ${peer.join(", ")})`, mean(mine), mean(peer), "nats/token");
  return [
    row(`LoRA training, against TRL tuned (${taken})`, ours, tuned, "tokens/s"),
    ...(defaults === undefined ? [] : [row("LoRA training, against TRL's defaults", ours, defaults, "tokens/s")]),
    row("LoRA training packed, against TRL tuned", packed, tuned, "tokens/s"),
    row("LoRA training packed, against unpacked", packed, ours, "tokens/s"),
    row("that gain, against padded / real tokens unpacked", packed / ours, wasted, "times"),
    loss(`loss on ${of.validationRows} held-out rows, against TRL tuned`, losses.ours, losses.tuned),
    loss("the same, packed", losses.packed, losses.tuned),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
