import { describe, expect, it } from "vitest";
import { planText } from "../../../src/commands/train-plan.ts";
import { sumOf } from "../../../src/foundation/sums.ts";
import { trainConfigSchema } from "../../../src/records/adapter-manifest.ts";
import peft from "../../../src/train/backends/peft.ts";
import unsloth from "../../../src/train/backends/unsloth.ts";
import { type Device, parseGpus } from "../../../src/train/plan/cards.ts";
import { blockMemory, logitMemory } from "../../../src/train/plan/memory.ts";
import { blockDevices, type PlanInput, planTraining } from "../../../src/train/plan/plan.ts";
import { adviceText } from "../../../src/train/plan/preflight.ts";
import { rowLengths } from "./row-lengths.ts";
import { GEMMA4_31B_CONFIG, SHAPES } from "./shapes.ts";

const GIB = 2 ** 30;
const SHAPE = SHAPES.gemma4_31b;

const config = (given: object = {}) =>
  trainConfigSchema.parse({
    ...{ rank: 16, alpha: 32, dropout: 0, learningRate: 5e-5, epochs: 2, batchSize: 4, warmupSteps: 5, seed: 1 },
    ...{ maxTokens: 4096, microBatchSize: 1, quantization: "nf4", optimizer: "adamw-8bit" },
    ...{ gradientCheckpointing: true, ...given },
  });

function planOn(devices: Device[], given: Partial<PlanInput> = {}) {
  const lengths = rowLengths({ rows: 600, tokens: 2_457_600, max: 4096, trained: 256 });
  return planTraining({
    ...{
      base: "gemma-4-31b",
      method: "sft",
      launch: "single" as const,
      supports: peft.supports,
      shape: SHAPE,
      config: config(),
    },
    ...{ lengths, devices, mainFreeBytes: null, storageBytes: 2 as const, ...given },
  });
}

/** How full each card is. */
const shares = (devices: { neededBytes: number; freeBytes: number }[]) =>
  devices.map(({ neededBytes, freeBytes }) => neededBytes / freeBytes);

describe("blocks on several cards", () => {
  it("leave one that another program holds, and fit on the others", () => {
    const [held, ...free] = parseGpus("4xL4") as [Device, ...Device[]];
    const holders = [{ pid: 4711, name: "vllm", usedBytes: 21 * GIB }];
    const plan = planOn([...free, { ...held, freeBytes: 1.4 * GIB, holders }]);
    expect(plan).toMatchObject({ fits: true, advice: null });
    expect(plan.devices[3]).toMatchObject({ blocks: [60, 60], holders });
    expect(plan.devices.slice(0, 3).map(({ blocks: [from, to] }) => to - from)).toEqual([14, 23, 23]);
  });

  it("fill cards of unlike memory alike", () => {
    const plan = planOn(parseGpus("A100-40,L4"));
    const [larger, smaller] = plan.devices.map(({ blocks: [from, to] }) => to - from) as [number, number];
    expect(larger).toBeGreaterThan(1.5 * smaller);
    const [first, second] = shares(plan.devices) as [number, number];
    expect(Math.abs(first - second)).toBeLessThan(0.03);
  });

  it("do not fit where what is free on all of them is too little", () => {
    const held = parseGpus("4xL4").map((device) => ({ ...device, freeBytes: 5 * GIB }));
    expect(planOn(held)).toMatchObject({ fits: false });
    expect(planOn(held.map((device) => ({ ...device, freeBytes: 0 })))).toMatchObject({ fits: false });
  });

  it("are put by the trainer where the plan has them, activations and all", () => {
    const plan = planOn(parseGpus("4xA100-40"), { config: config({ gradientCheckpointing: false }) });
    const devices = blockDevices(plan);
    expect(devices).toHaveLength(60);
    for (const [index, { blocks }] of plan.devices.entries()) {
      expect([devices?.indexOf(index), (devices?.lastIndexOf(index) ?? 0) + 1]).toEqual(blocks);
    }
    expect(blockDevices(planOn(parseGpus("1xA100-80")))).toBeNull();
  });
});

it("a training of all weights is planned for the first card alone, where it is", () => {
  const given = {
    config: config({ trains: "full", quantization: "none", optimizer: "adamw" }),
    shape: SHAPES.mistral_7b,
  };
  const plan = planOn(parseGpus("2xA100-80"), given);
  expect(plan).toMatchObject({ fits: false, devices: [{ blocks: [0, 32] }] });
  expect(plan.advice ?? []).not.toContainEqual(expect.stringContaining("such GPUs"));
});

it("a training that lays no blocks over cards is planned for the first one, and never told to take more", () => {
  const large = { supports: unsloth.supports, config: config({ quantization: "none", gradientCheckpointing: false }) };
  const plan = planOn(parseGpus("4xL4"), large);
  expect(plan).toMatchObject({ fits: false, devices: [{ name: "L4", blocks: [0, 60] }] });
  expect(plan.advice ?? []).not.toContainEqual(expect.stringContaining("such GPUs"));
  const [held, ...free] = parseGpus("4xL4") as [Device, ...Device[]];
  expect(planOn([{ ...held, freeBytes: 1.4 * GIB }, ...free], large).fits).toBe(false);
  expect(blockDevices(planOn(parseGpus("2xA100-80"), { supports: unsloth.supports }))).toBeNull();
});

describe("a training by one process a card", () => {
  const fsdp = (cards: string, given: object = {}) =>
    planOn(parseGpus(cards), { launch: "fsdp", config: config({ microBatchSize: 4, optimizer: "adamw", ...given }) });

  it("has its part of each block, two of them whole, the ends, and its own rows", () => {
    const plan = fsdp("4xL4");
    expect(plan.fits).toBe(true);
    const setting = { ...plan.setting, batch: 1 };
    const blocks = SHAPE.blocks.map((block) => blockMemory(SHAPE, block, setting));
    const weights = sumOf(blocks, (block) => block.weights) / 4;
    const largest = Math.max(...blocks.map((block) => block.weights + block.lora));
    const kept = sumOf(blocks, (block) => block.kept);
    const working = Math.max(...blocks.map((block) => block.working));
    for (const { blocks: held, parts } of plan.devices) {
      expect(held).toEqual([0, 60]);
      expect(parts.weights).toBeCloseTo(weights + 2 * largest, -3);
      expect(parts.embeddings).toBe(262_144 * 5376 * 2);
      expect(parts.activations).toBeCloseTo(kept + working, -3);
    }
    expect(blockDevices(plan)).toBeNull();
  });

  it("takes a part of the time, and rows that the cards share evenly", () => {
    const [alone, together] = [planOn(parseGpus("4xL4")), fsdp("4xL4")];
    const hours = ({ wallTimes }: typeof alone) => wallTimes.find(({ card }) => card === "L4")?.durationMs ?? 0;
    expect(hours(together)).toBeCloseTo(hours(alone) / 4, -1);
    expect(together.largestBatch % 4).toBe(0);
    const wasteful = fsdp("4xL4", { microBatchSize: 8, batchSize: 8, gradientCheckpointing: false });
    expect(wasteful.advice).toEqual(["--gradient-checkpointing"]);
    expect(fsdp("2xL4", { microBatchSize: 4096, batchSize: 4096 }).advice?.join()).not.toContain("adamw-8bit");
  });
});

describe("the main memory of a training by one process a card", () => {
  const fsdp = (mainFreeBytes: number | null, given: object = {}) =>
    planOn(parseGpus("4xA100-80"), {
      ...{ launch: "fsdp", mainFreeBytes },
      config: config({ microBatchSize: 4, optimizer: "adamw", ...given }),
    });

  it("holds the base once a process, in 4 bits or 16", () => {
    const held = (given: object) => (fsdp(null, given).mainMemory?.neededBytes ?? 0) / GIB;
    expect(Math.abs(held({}) / 67 - 1)).toBeLessThan(0.1);
    expect(Math.abs(held({ quantization: "none" }) / (4 * 57) - 1)).toBeLessThan(0.1);
    expect(planOn(parseGpus("4xL4")).mainMemory).toBeNull();
  });

  it("decides, too, whether it fits, where it is known", () => {
    expect(fsdp(null).fits).toBe(true);
    expect(fsdp(100 * GIB)).toMatchObject({ fits: true, mainMemory: { freeBytes: 100 * GIB } });
    expect(fsdp(100 * GIB, { quantization: "none" })).toMatchObject({ fits: false, advice: ["--quantize nf4"] });
    const small = fsdp(32 * GIB);
    expect(small).toMatchObject({ fits: false, advice: null });
    expect(small.devices.every(({ headroomBytes }) => headroomBytes > 0)).toBe(true);
    expect(adviceText(small)).toContain("leave out --launch fsdp");
    expect(planText(small)).toMatch(/\nmain {6}\d+\.\d+ GiB of main memory for 4 processes .*, 32\.00 GiB are free\n/);
  });
});

describe("the parts of a card's load for Gemma 4 31B", () => {
  const plan = planOn(parseGpus("4x24GB"));
  const block = SHAPE.blocks[0] as (typeof SHAPE.blocks)[number];
  const setting = { ...plan.setting, tokens: 4096 };
  const within = (value: number, expected: number) => expect(Math.abs(value / expected - 1)).toBeLessThan(0.1);

  it("are a working set of four tensors of an MLP and one dequantised weight; the plan adds three gradients and the norms", () => {
    const bare = { ...block, inner: 0 };
    const ofMlp = blockMemory(SHAPE, block, setting).working - blockMemory(SHAPE, bare, setting).working;
    within((ofMlp * 4) / 7, 0.66 * GIB);
    const plain = blockMemory(SHAPE, block, { ...setting, quantization: "none" }).working;
    within(blockMemory(SHAPE, block, setting).working - plain, 0.22 * GIB);
  });

  it("are 2 bytes a trained weight of 8-bit state, and 0.6 to 1.4 GiB of context", () => {
    const state = sumOf(plan.devices, ({ parts }) => parts.optimizer);
    within(state / plan.loraParameters, 2);
    for (const { parts } of plan.devices) {
      expect(parts.context).toBeGreaterThanOrEqual(0.6 * GIB);
      expect(parts.context).toBeLessThanOrEqual(1.4 * GIB);
    }
  });

  it("are 4 GiB of logits for each copy in float32, of which this trainer makes 256 tokens at once", () => {
    const copies = 6;
    within(logitMemory(SHAPE, { ...setting, chunksLogits: false }) / copies, 4 * GIB);
    within(logitMemory(SHAPE, setting) / copies, 256 * 262_144 * 4);
    expect(GEMMA4_31B_CONFIG.text_config.final_logit_softcapping).toBe(30); // a cap keeps two of the copies
  });

  it("add up to 6 to 8 GiB a card at 4096 tokens", () => {
    for (const { neededBytes } of plan.devices) {
      expect(neededBytes).toBeGreaterThan(6 * 0.9 * GIB);
      expect(neededBytes).toBeLessThan(8 * 1.1 * GIB);
    }
  });
});

it("the time is also told for cards that are named by their size, as on the slowest of that size", () => {
  const times = (cards: string) => planOn(parseGpus(cards)).wallTimes;
  const [first, ...others] = times("4x24GB");
  expect(first).toEqual({ ...others.find(({ card }) => card === "RTX3090"), card: "24GB (as RTX3090)" });
  expect(times("4x80GB")[0]?.card).toBe("80GB (as A100-80)");
  expect(times("8x1GB")[0]?.card).toBe("L4");
  expect(times("4xL4")).toEqual(others);
});
