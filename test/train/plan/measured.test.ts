import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { comparePlan } from "../../../bench/plan.ts";
import { tinyBase } from "../../fixtures/tiny-base.ts";

it("agrees with the measured peak of a training in 4 bits with checkpoints and 8-bit state, within a fifth", async () => {
  const folder = await mkdtemp(join(tmpdir(), "measured-"));
  try {
    const config = { quantization: "nf4", optimizer: "adamw-8bit", gradientCheckpointing: true } as const;
    const { hf } = await tinyBase();
    const { plannedBytes, peakBytes } = await comparePlan(hf, folder, {
      batch: 64,
      tokens: 512,
      config,
    });
    const [planned, measured] = [plannedBytes / 1e6, peakBytes / 1e6].map(Math.round);
    process.stdout.write(`nf4, checkpoints, 8-bit state, 64 x 512: planned ${planned} MB, measured ${measured} MB\n`);
    expect(Math.abs(plannedBytes / peakBytes - 1)).toBeLessThan(0.2);
  } finally {
    await rm(folder, { recursive: true });
  }
});
