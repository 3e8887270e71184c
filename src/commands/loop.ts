/**
 * `tracemill loop`: the main path with a preset's settings, once or round after round, and a short report of what came out.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import { loop } from "../loop.ts";
import { python } from "../train/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { loopReport, loopSummary, writeLoopReport } from "./loop-report.ts";
import { loopRounds } from "./loop-rounds.ts";
import { FIRST_ROUND, type LoopSettings, loopSettings, PRESETS } from "./loop-settings.ts";
import { loopSkills } from "./loop-skills.ts";
import { namesList } from "./names-list.ts";
import { roundsSummary, writeRoundsReport } from "./rounds-report.ts";
import { attachedServer, serverInput, targetInput } from "./target-input.ts";
import { loopTrainInput } from "./train-input.ts";
import type { Room } from "./training-room.ts";

/** What every stage is told. */
const workInput = z.object({
  base: z.string().default("smollm2").describe("the base to start from"),
  seed: z.int().default(1).describe("seed of items and draws; never moves a family between splits"),
  sides: namesList(z.string()).default([]).describe("other skills, at which a candidate has to be no worse"),
  ...targetInput,
  ...serverInput,
});

const input = z.object({
  preset: z.enum(PRESETS).default("demo").describe("how much of everything: demo, quick, or tiny for tests"),
  skill: z.string().optional().describe("the skill to get better at (default: sql)"),
  skills: z
    .string()
    .optional()
    .describe(
      'train on all skills but one and judge that one: "all,-NAME", or NAME,-OTHER; once, and nothing promoted',
    ),
  ...workInput.shape,
  rounds: z
    .int()
    .min(1)
    .optional()
    .describe(
      "loop after loop, most rounds: the champion collects, and what passes the gate is promoted (default: one loop, nothing promoted)",
    ),
  roundPatience: z
    .int()
    .min(1)
    .default(1)
    .describe("with --rounds: rounds in a row without a promotion after which it ends"),
  continue: z
    .boolean()
    .default(false)
    .describe("with --rounds: go on from the champion's weights (default: from the base in each round)"),
  ...loopTrainInput.shape,
  pauseServers: z
    .boolean()
    .default(true)
    .describe("train beside the servers that run; else those of this home make room while it trains"),
});

async function once(settings: LoopSettings, room: Room, context: Context) {
  const { home } = context;
  const result = await loop(settings, room, context);
  const report = await writeLoopReport(await loopReport(result, home), home);
  return { ...result, report, summary: await loopSummary(result, home), isPassed: result.decision.hasPassed };
}

async function inRounds(
  settings: LoopSettings,
  { most, patience, room }: { most: number; patience: number; room: Room },
  context: Context,
) {
  const { home } = context;
  const { last, ...result } = await loopRounds(settings, { most, patience, room }, context);
  await writeLoopReport(await loopReport(last, home), home);
  const written = await writeRoundsReport({ ...result, last }, home);
  const isPassed = result.rounds.some(({ isPromoted }) => isPromoted);
  return { ...result, ...written, summary: roundsSummary({ ...result, last }), isPassed };
}

function needsRounds(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "--continue goes on from a champion, and a single loop looks for none.",
    expected: "--continue with --rounds",
    got: "no --rounds",
    fix: "--rounds 1 --continue",
  });
}

function onceOnly(skills: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message:
      "What was trained on other skills cannot be promoted for the one that is left out, so there are no rounds of it.",
    expected: "--skills without --rounds",
    got: `--skills ${skills} --rounds`,
    fix: "leave one of them out",
  });
}

export default defineCommand({
  summary: "Run the whole loop: collect, export, train, validate; resumes where it stopped.",
  details: `Examples:
  tracemill loop --preset quick
  tracemill loop --preset quick --rounds 3 --sides cron
  tracemill loop --preset quick --skills all,-sql
  tracemill loop --base gemma-4-31b --target vllm --quantize nf4 --micro-batch-size 1 --gradient-checkpointing

With --rounds the rows of all rounds are trained on from the base, each round is judged on items of its own where the skill makes them
(from the second one on of families of its own, where it makes those too), and rounds.md in the home folder shows success and tokens over the rounds.
Of the training, the preset says what no option does, and the model family the learning rate. What a loop has collected does not depend on it:
with other options of the training the same rows are trained on again.
With --skills one skill is left out of training and judged: does what was learned of the others carry over?`,
  input: input as z.ZodType<z.output<typeof input>>,
  async run(
    { preset, pauseServers, rounds, roundPatience: patience, skill, skills, continue: continues, ...given },
    context,
  ) {
    const [work, training] = [workInput.parse(given), loopTrainInput.parse(given)];
    const { home } = context;
    if (continues && rounds === undefined) throw needsRounds();
    if (skills !== undefined && rounds !== undefined) throw onceOnly(skills);
    const chosen = await loopSkills({ ...(skill !== undefined && { skill }), ...(skills !== undefined && { skills }) });
    await python(); // Missing, it is to be told now, not when the collecting is done.
    await mkdir(home.path, { recursive: true });
    const release = acquireLock(join(home.path, "loop.lock"), "The loop of this home");
    try {
      const settings = loopSettings(preset, { ...work, ...chosen, continues, round: FIRST_ROUND }, training);
      const room = { pausesServers: pauseServers, attached: attachedServer(work.target) };
      if (rounds === undefined) return await once(settings, room, context);
      return await inRounds(settings, { most: rounds, patience, room }, context);
    } finally {
      release();
    }
  },
  print: ({ summary }) => summary,
  exitCode: ({ isPassed }) => (isPassed ? 0 : 4),
});
