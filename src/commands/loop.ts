/**
 * `tracemill loop`: the main path with a preset's settings, and a short report of what came out.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { acquireLock } from "../foundation/lock-file.ts";
import { loop } from "../loop.ts";
import { python } from "../train/python.ts";
import { defineCommand } from "./command.ts";
import { loopReport, loopSummary, writeLoopReport } from "./loop-report.ts";
import { loopSettings, PRESETS } from "./loop-settings.ts";
import { attachedServer, targetInput } from "./target-input.ts";

export default defineCommand({
  summary: "Run the whole loop: collect, export, train, validate; resumes where it stopped.",
  details: "Example: tracemill loop --preset quick",
  input: z.object({
    preset: z.enum(PRESETS).default("demo").describe("how much of everything: demo, quick, or tiny for tests"),
    skill: z.string().default("sql").describe("the skill to get better at"),
    base: z.string().default("smollm2").describe("the base to start from"),
    seed: z.int().default(1).describe("seed of items and draws; never moves a family between splits"),
    ...targetInput,
    pauseServers: z
      .boolean()
      .default(true)
      .describe("train beside the servers that run; else those of this home make room while it trains"),
  }),
  async run({ preset, pauseServers, ...work }, context) {
    const { home } = context;
    await python(); // Missing, it is to be told now, not when the collecting is done.
    await mkdir(home.path, { recursive: true });
    const release = acquireLock(join(home.path, "loop.lock"), "The loop of this home");
    try {
      const result = await loop(
        loopSettings(preset, work),
        { pausesServers: pauseServers, attached: attachedServer(work.target) },
        context,
      );
      const report = await writeLoopReport(await loopReport(result, home), home);
      return { ...result, report, summary: loopSummary(result, home) };
    } finally {
      release();
    }
  },
  print: ({ summary }) => summary,
  exitCode: ({ decision }) => (decision.hasPassed ? 0 : 4),
});
