import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/commands/command.ts";
import command, { trainOn } from "../../src/commands/train.ts";
import { planText } from "../../src/commands/train-plan.ts";
import { steppingClock } from "../../src/foundation/clock.ts";
import { ZERO_HASH } from "../../src/foundation/hashing.ts";
import type { Home } from "../../src/store/home.ts";
import { listAdapters } from "../../src/store/manifests.ts";
import peft from "../../src/train/backends/peft.ts";
import { checkTraining, type TrainPlan } from "../../src/train/index.ts";
import { parseGpus } from "../../src/train/plan/cards.ts";
import { planTraining } from "../../src/train/plan/plan.ts";
import { withNvidiaSmi } from "../fixtures/nvidia-smi.ts";
import { withHome } from "../store/sample-run.ts";
import { SHAPES } from "./plan/shapes.ts";
import { addTinyBase, CONFIG, SETTINGS, writeDataset } from "./sample-training.ts";

function contextOf(home: Home): Context {
  return {
    ...{ home, stdout: process.stdout, stderr: new PassThrough() as unknown as NodeJS.WriteStream, isJson: false },
    clock: steppingClock(new Date("2026-11-01T12:00:00Z"), 1000),
    signal: new AbortController().signal,
  };
}

const input = (given: object) => command.input.parse({ ...SETTINGS, base: "tiny", plan: true, ...given });

it("plans for the lengths of the dataset and trains nothing", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const given = input({ dataset: [datasetHash], gpus: "2xL4" });
    const plan = (await command.run(given, contextOf(home))) as TrainPlan;
    expect(plan).toMatchObject({ fits: true, lengths: { rows: 8 }, setting: { batch: 4, tokens: plan.lengths.max } });
    expect(plan.devices.map(({ name }) => name)).toEqual(["L4", "L4"]);
    expect(command.exitCode?.(plan)).toBe(0);
    expect(command.print?.(plan, given)).toContain("It fits.");
    expect(await listAdapters(home)).toEqual([]);
  }));

it("plans for one card of those there are where the backend trains on one", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const cardsFor = async (backend: string) => {
      const given = input({ dataset: [datasetHash], gpus: "2xL4", backend });
      return ((await command.run(given, contextOf(home))) as TrainPlan).devices.length;
    };
    expect([await cardsFor("peft"), await cardsFor("unsloth"), await cardsFor("axolotl")]).toEqual([2, 1, 1]);
    await expect(cardsFor("unslot")).rejects.toMatchObject({ code: "UNKNOWN_BACKEND" });
  }));

it("ends with 2 and the change that helps where it does not fit", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const given = input({ dataset: [datasetHash], gpus: "1x1GB", batchSize: 4096 });
    const plan = (await command.run(given, contextOf(home))) as TrainPlan;
    expect(plan).toMatchObject({ fits: false, advice: [expect.stringMatching(/^--micro-batch-size \d+$/)] });
    expect(plan.largestBatch).toBeLessThan(4096);
    expect(command.exitCode?.(plan)).toBe(2);
    expect(command.print?.(plan, given)).toContain(`It does not fit: add ${plan.advice?.[0]}.`);
  }));

it("refuses a training that cannot fit before anything is loaded, unless it is told to try", () =>
  withHome(async (home) => {
    const base = await addTinyBase(home);
    const { datasetHash } = await writeDataset(home, base);
    const given = { ...SETTINGS, dataset: datasetHash, base: "tiny", batchSize: 2_000_000, microBatchSize: 2_000_000 };
    await expect(trainOn(given, contextOf(home))).rejects.toMatchObject({
      ...{ code: "DOES_NOT_FIT", details: { fix: expect.stringContaining("--micro-batch-size") } },
    });
    expect(await listAdapters(home)).toEqual([]);
  }));

it("plans for general rows that are rehearsed, and refuses one that cannot be trained on", () =>
  withHome(async (home) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const file = join(home.path, "general.jsonl");
    const line = (completion: string) => JSON.stringify({ prompt: "hello", completion });
    await writeFile(file, [line("a b c ".repeat(40)), line("yes"), line("no")].join("\n"));
    const given = input({ dataset: [datasetHash], gpus: "2xL4", rehearse: `${file}:0.2` });
    const { lengths, setting } = (await command.run(given, contextOf(home))) as TrainPlan;
    expect(lengths).toMatchObject({ rows: 10, others: setting.tokens });
    expect(setting.tokens).toBeGreaterThan(lengths.max);
    await writeFile(file, "{}\n");
    await expect(command.run(given, contextOf(home))).rejects.toMatchObject({ code: "BAD_REHEARSAL_ROW" });
  }));

describe("what a training is refused for, its plan is refused for", () => {
  const planOf = async (home: Home, given: object, dataset: object = {}) => {
    const { datasetHash } = await writeDataset(home, await addTinyBase(home), dataset);
    return command.run(input({ dataset: [datasetHash], gpus: "4xL4", ...given }), contextOf(home));
  };

  it.each([
    ["all weights in 4 bits", { full: true, quantize: "nf4" }, {}, "BAD_SETTINGS"],
    ["a method that does not exist", { method: "nosuch" }, {}, "UNKNOWN_METHOD"],
    ["an optimiser that processes do not share", { launch: "fsdp", optimizer: "adamw-8bit" }, {}, "BAD_SETTINGS"],
    ["processes of a backend that has one", { backend: "axolotl", launch: "fsdp" }, {}, "UNSUPPORTED_SETTING"],
    ["packing by a backend that does not", { backend: "unsloth", packing: true }, {}, "UNSUPPORTED_SETTING"],
    ["a step of no whole parts", { batchSize: 8, microBatchSize: 3 }, {}, "BAD_SETTINGS"],
    ["patience without validation rows", { patience: 2 }, { validation: 0 }, "BAD_SETTINGS"],
    ["answers for a method of pairs", { method: "dpo" }, {}, "DATASET_OF_ANOTHER_TIER"],
    ["pairs for a method of answers", {}, { tier: "preference-pairs" }, "DATASET_OF_ANOTHER_TIER"],
    ["one label alone", { method: "kto" }, { tier: "judged", good: 8 }, "ONE_LABEL_ALONE"],
    ["a parent that is not there", { from: "sql-v1" }, {}, "UNKNOWN_ADAPTER"],
  ] as const)("%s", (_, given, dataset, code) =>
    withHome(async (home) => {
      await expect(planOf(home, given, dataset)).rejects.toMatchObject({ code });
    }),
  );

  it("tokens of another base", () =>
    withHome(async (home) => {
      const other = { ...(await addTinyBase(home)), templateHash: ZERO_HASH };
      const { datasetHash } = await writeDataset(home, other);
      const plan = command.run(input({ dataset: [datasetHash], gpus: "4xL4" }), contextOf(home));
      await expect(plan).rejects.toMatchObject({ code: "DATASET_OF_ANOTHER_BASE" });
    }));
});

describe("rows that a training would be refused for", () => {
  it("are told by a plan, which then ends with 2 though it fits", () =>
    withHome(async (home) => {
      const { datasetHash } = await writeDataset(home, await addTinyBase(home));
      const given = input({ dataset: [datasetHash], gpus: "2xL4", maxTokens: 12 });
      const plan = (await command.run(given, contextOf(home))) as TrainPlan;
      expect(plan).toMatchObject({ fits: true, refused: { code: "ROW_TOO_LONG" } });
      expect(command.exitCode?.(plan)).toBe(2);
      expect(command.print?.(plan, given)).toMatch(/It fits\.\nIt is refused: 10 rows have more .* --too-long drop\.$/);
      expect(command.print?.(plan, given)).toContain("8 to train on, 2 to validate on have more than --max-tokens");
      expect((await command.run({ ...given, maxTokens: 64 }, contextOf(home))) as TrainPlan).toMatchObject({
        refused: null,
      });
    }));

  it("are refused before a base is loaded, unplanned too: too long ones wherever they lie, too few general ones, none to validate on", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const { datasetHash: dataset } = await writeDataset(home, base);
      const check = (given: object) => {
        const { clock, signal } = contextOf(home);
        const settings = { home, dataset, base: "tiny", method: "sft", config: CONFIG, clock, signal };
        return checkTraining({ ...settings, isUnplanned: true, onProgress: () => {}, ...given });
      };
      const tooShort = { ...CONFIG, maxTokens: 12 };
      await expect(check({ config: tooShort })).rejects.toMatchObject({ code: "ROW_TOO_LONG" });
      const file = join(home.path, "general.jsonl");
      const line = (completion: string) => JSON.stringify({ prompt: "hello", completion });
      await writeFile(file, [line("a b c ".repeat(60)), line("yes")].join("\n"));
      const long = check({ rehearse: { file, fraction: 0.1 } });
      await expect(long).rejects.toMatchObject({
        ...{ code: "ROW_TOO_LONG", details: { got: expect.stringMatching(/^1 to rehearse, of up to \d+ tokens$/) } },
      });
      const dropping = { ...CONFIG, maxTokens: 18, tooLong: "drop" as const };
      const { dropped } = await check({ rehearse: { file, fraction: 0.01 }, config: dropping });
      expect(dropped).toEqual({ droppedRows: 4, droppedValidationRows: 1, droppedRehearsalRows: 2 });
      const unjudged = check({ config: { ...dropping, maxTokens: 15, patience: 2 } });
      await expect(unjudged).rejects.toMatchObject({
        ...{ code: "BAD_SETTINGS", message: expect.stringContaining("All validation rows are dropped") },
      });
      const few = check({ rehearse: { file, fraction: 0.5 }, config: { ...CONFIG, tooLong: "drop" } });
      await expect(few).rejects.toMatchObject({
        ...{
          code: "TOO_FEW_REHEARSAL_ROWS",
          details: { got: "1 row", fix: expect.stringContaining("at most 0.111") },
        },
      });
    }));
});

it.each([
  { cards: ["a"], given: {}, expected: "1 GPU" },
  { cards: ["a", "b"], given: {}, expected: "2 GPUs" },
  { cards: ["a", "b"], given: { full: true }, expected: "1 GPU" },
])("is what the trainer follows: GPUs that PyTorch does not see are refused, not left out: $cards $given", (asked) =>
  withHome(async (home) => {
    const { cards, given, expected } = asked;
    const { datasetHash } = await writeDataset(home, await addTinyBase(home));
    const gpus = cards.map((id) => `GPU-none-${id}, NVIDIA L4, 23034, 22563\\n`).join("");
    const visible = process.env.CUDA_VISIBLE_DEVICES;
    process.env.CUDA_VISIBLE_DEVICES = cards.map((id) => `GPU-none-${id}`).join(",");
    try {
      const training = withNvidiaSmi({ gpus }, () =>
        trainOn({ ...SETTINGS, ...given, dataset: datasetHash, base: "tiny" }, contextOf(home)),
      );
      await expect(training).rejects.toMatchObject({ code: "NO_GPUS", details: { expected, got: "0" } });
    } finally {
      if (visible === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
      else process.env.CUDA_VISIBLE_DEVICES = visible;
    }
  }),
);

it("shows a table of what each card holds, in GiB", () => {
  const plan = planTraining({
    ...{
      base: "gemma-4-31b",
      method: "sft",
      launch: "single",
      supports: peft.supports,
      shape: SHAPES.gemma4_31b,
      storageBytes: 2,
    },
    devices: parseGpus("4xL4"),
    mainFreeBytes: null,
    config: {
      ...CONFIG,
      quantization: "nf4",
      optimizer: "adamw-8bit",
      gradientCheckpointing: true,
      microBatchSize: 1,
    },
    lengths: {
      ...{
        rows: 600,
        tokens: 900_000,
        p50: 1200,
        p99: 4000,
        max: 4096,
        others: 5000,
        trained: 256,
        longer: { train: 0, validation: 0, rehearsal: 0 },
      },
      ...{ validationRows: 0, rehearsed: null },
    },
  });
  const lines = planText(plan).split("\n");
  expect(lines[0]).toBe("Plan for sft on gemma-4-31b: 30.7 B weights, LoRA of rank 4: 30.6 M");
  expect(lines[2]).toMatch(
    /weights +embeddings +towers +lora +gradients +optimizer +activations +logits +context +needed/,
  );
  expect(lines.filter((line) => /^\d +L4 +\d+-\d+ /.test(line))).toHaveLength(4);
  expect(lines.find((line) => line.startsWith("time"))).toMatch(/ on L4, .* on H100/);
  expect(lines).toContain("          5000 the longest that is validated on or rehearsed");
  expect(lines.at(-1)).toBe("It fits.");
});
