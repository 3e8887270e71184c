/** What a loop may be told of its training, and what that changes. */
import { expect, test } from "vitest";
import type { AnyCommand } from "../../src/commands/command.ts";
import { parseInput } from "../../src/commands/command-line.ts";
import command from "../../src/commands/loop.ts";
import { collectingOf, FIRST_ROUND, loopSettings, PRESETS } from "../../src/commands/loop-settings.ts";
import { loopTrainInput, settingsFrom, trainInput } from "../../src/commands/train-input.ts";
import { trainConfigSchema } from "../../src/records/adapter-manifest.ts";
import peft from "../../src/train/backends/peft.ts";
import { adviceText } from "../../src/train/index.ts";
import { parseGpus } from "../../src/train/plan/cards.ts";
import { planTraining } from "../../src/train/plan/plan.ts";
import { rowLengths } from "../train/plan/row-lengths.ts";
import { SHAPES } from "../train/plan/shapes.ts";

const work = {
  ...{ skill: "sql", learns: ["sql"], base: "b", seed: 1, target: "t", serverArgs: "", startTimeout: "1m" },
  ...{ sides: [], continues: false, round: FIRST_ROUND },
};
const parse = (...words: string[]) =>
  loopTrainInput.parse(parseInput("loop", command as unknown as AnyCommand, words).input);

test("a preset leaves the learning rate to the family of the base", () => {
  for (const preset of PRESETS) {
    const { train } = loopSettings(preset, work, parse());
    const settings = settingsFrom(trainInput.parse({ ...train, dataset: ["d"], base: "b" }));
    expect(settings).not.toHaveProperty("learningRate");
    expect(settings).toMatchObject({ batchSize: 8, maxTokens: 1024, epochs: preset === "tiny" ? 1 : 3 });
  }
});

test("what is said of a training stands before the preset", () => {
  const words = ["--quantize", "nf4", "--epochs", "2", "--learning-rate", "0.00005", "--gradient-checkpointing"];
  const { train } = loopSettings("demo", work, parse(...words));
  expect(train).toMatchObject({ rank: 16, batchSize: 8, epochs: 2, learningRate: 5e-5, quantize: "nf4" });
  expect(train).toMatchObject({ gradientCheckpointing: true, optimizer: "adamw" });
});

test("a loop takes every option that a plan advises", () => {
  const fixed = { rank: 16, alpha: 32, dropout: 0, learningRate: 5e-5, epochs: 2, warmupSteps: 5, seed: 1 };
  const { advice, ...plan } = planTraining({
    ...{
      base: "b",
      method: "sft",
      launch: "single",
      supports: peft.supports,
      shape: SHAPES.gemma4_31b,
      storageBytes: 2,
    },
    ...{
      devices: parseGpus("1xL4"),
      mainFreeBytes: null,
      config: trainConfigSchema.parse({ ...fixed, batchSize: 8, maxTokens: 9000 }),
    },
    lengths: rowLengths({ rows: 600, tokens: 900_000, p50: 500, p99: 4000, max: 9000, trained: 256 }),
  });
  const advised = [...adviceText({ ...plan, advice }).matchAll(/--(\S+ ?[^-\s]*)/g)].map(([option]) => option.trim());
  expect(advised.length).toBeGreaterThan(3);
  expect(() =>
    parse(...advised.flatMap((option) => option.split(" ")), "--unplanned", "--too-long", "drop"),
  ).not.toThrow();
});

test("another training is another loop, over the same rows", () => {
  const [once, again] = [parse(), parse("--epochs", "2")].map((training) => loopSettings("quick", work, training));
  expect(once).not.toEqual(again);
  expect(collectingOf(once as never)).toEqual(collectingOf(again as never));
  expect(collectingOf(once as never)).not.toEqual(collectingOf(loopSettings("quick", { ...work, seed: 2 })));
});
