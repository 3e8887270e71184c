/**
 * Loop after loop with the tiny base, which has nothing to learn: no round passes, so nothing is promoted, each round has items of
 * its own where the skill makes them, and the rows of the first are trained on again.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { roundsPicture } from "../../src/commands/rounds-picture.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { listAdapters, listPlans, readDatasetManifest } from "../../src/store/manifests.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { withHome } from "../store/sample-run.ts";

process.env.TRACEMILL_SKILLS = join(PACKAGE_FOLDER, "test", "fixtures", "skills");

const resultSchema = z.object({
  champion: z.string().nullable(),
  ended: z.string(),
  rounds: z.array(
    z.object({
      round: z.int(),
      datasetHash: z.string(),
      hasPassed: z.boolean(),
      isPromoted: z.boolean(),
      selfGenerated: z.number(),
      diversity: z.number().nullable(),
    }),
  ),
});

const LOOP = ["loop", "--preset", "tiny", "--skill", "parity", "--base", "tiny"];

test(
  "rounds go on until they bring nothing, and the same command gives the same rounds again",
  () =>
    withHome(async (home) => {
      const base = await tinyBase();
      await tracemill(home, "base", "add", "tiny", "--hf", base.hf, "--gguf", base.gguf);
      const words = [...LOOP, "--rounds", "3", "--round-patience", "2", "--micro-batch-size", "4", "--json"];
      const made = await tracemill(home, ...words);
      expect(made.exitCode).toBe(4);
      const result = resultSchema.parse(JSON.parse(made.stdout));
      expect(result).toMatchObject({ champion: null, ended: "The last 2 rounds brought nothing credible." });
      expect(result.rounds.map(({ round, isPromoted }) => ({ round, isPromoted }))).toEqual([
        { round: 1, isPromoted: false },
        { round: 2, isPromoted: false },
      ]);

      const [first, second] = await Promise.all(
        result.rounds.map(({ datasetHash }) => readDatasetManifest(home, datasetHash)),
      );
      const runsOf = (dataset: typeof first) => (dataset?.inputs.runs ?? []).map(({ run }) => run);
      expect(runsOf(second)).toHaveLength(runsOf(first).length + 1);
      expect(runsOf(second)).toEqual(expect.arrayContaining(runsOf(first)));
      expect(result.rounds.every(({ selfGenerated }) => selfGenerated === 0)).toBe(true);

      // The family's learning rate, and what was said of the training.
      expect((await listAdapters(home)).map(({ config }) => [config.learningRate, config.microBatchSize])).toEqual([
        [4e-4, 4],
        [4e-4, 4],
      ]);

      const plans = await listPlans(home);
      // The skill of the test makes the same items from every seed: the second candidate on them pays for the first.
      expect(plans.map(({ use }) => use).sort()).toEqual([1, 2]);
      const report = await readFile(join(home.path, "rounds.md"), "utf8");
      for (const { comparisonHash } of plans) expect(report).toContain(comparisonHash);
      expect(report).toContain("Rounds share items, as the skill has no others");
      expect(existsSync(join(home.path, "rounds.svg"))).toBe(true);

      const again = await tracemill(home, ...words);
      expect(resultSchema.parse(JSON.parse(again.stdout))).toEqual(result);
      expect(await listPlans(home)).toHaveLength(2);
    }),
  600_000,
);

test("the picture has a mark for each arm that was judged, and none where there is nothing to show", () => {
  const figure = { rate: 0.5, interval: { low: 0.4, high: 0.6 }, tokens: 30, tokensInterval: null };
  const picture = roundsPicture([
    { round: 1, before: figure, candidate: { ...figure, rate: 0.6, tokensInterval: { low: 20, high: 60 } } },
    { round: 2, before: figure, candidate: null },
  ]);
  expect(picture.match(/<circle class="before"[^>]*r="4"/g)).toHaveLength(2);
  expect(picture.match(/<circle class="candidate"[^>]*r="4"/g)).toHaveLength(1);
  // From 60 tokens, the most that is shown, at the top of its axes, to a third of that.
  expect(picture).toMatch(/<line class="candidate" x1="225" x2="225" y1="393.33" y2="320"\/>/);
  expect(roundsPicture([])).not.toContain("<circle");
});
