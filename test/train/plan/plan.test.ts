import { describe, expect, it } from "vitest";
import { sumOf } from "../../../src/foundation/sums.ts";
import { trainConfigSchema } from "../../../src/records/adapter-manifest.ts";
import axolotl from "../../../src/train/backends/axolotl.ts";
import peft from "../../../src/train/backends/peft.ts";
import { checkSettings } from "../../../src/train/check-settings.ts";
import { parseGpus } from "../../../src/train/plan/cards.ts";
import { blockMemory, NF4_BYTES } from "../../../src/train/plan/memory.ts";
import { total } from "../../../src/train/plan/placement.ts";
import { type PlanInput, planTraining } from "../../../src/train/plan/plan.ts";
import { embeddingWeights, shapeOf, weightsOf } from "../../../src/train/plan/shape.ts";
import { rowLengths } from "./row-lengths.ts";
import { GEMMA4_31B_CONFIG, SHAPES } from "./shapes.ts";

const GIB = 2 ** 30;
const LENGTHS = rowLengths({ rows: 600, tokens: 2_457_600, max: 4096, trained: 256 });

const config = (given: object = {}) =>
  trainConfigSchema.parse({
    ...{
      rank: 16,
      alpha: 32,
      dropout: 0,
      learningRate: 5e-5,
      epochs: 2,
      batchSize: 4,
      warmupSteps: 5,
      maxTokens: 4096,
    },
    ...{ seed: 1, microBatchSize: 1, quantization: "nf4", optimizer: "adamw-8bit", gradientCheckpointing: true },
    ...given,
  });

function planOf(given: Partial<PlanInput> & { gpus?: string } = {}) {
  const { gpus = "4xL4", ...rest } = given;
  return planTraining({
    ...{
      base: "gemma-4-31b",
      method: "sft",
      launch: "single" as const,
      supports: peft.supports,
      shape: SHAPES.gemma4_31b,
    },
    ...{ config: config(), lengths: LENGTHS },
    ...{ devices: parseGpus(gpus), mainFreeBytes: null, storageBytes: 2 as const },
    ...rest,
  });
}

/** Of `--micro-batch-size`; null where it is not advised. */
function rowsAtOnce(advice: string[] | null): number | null {
  const [, rows] = /--micro-batch-size (\d+)/.exec(advice?.join(" ") ?? "") ?? [];
  return rows === undefined ? null : Number(rows);
}

function within(value: number, expected: number, fraction = 0.1): void {
  expect(Math.abs(value / expected - 1)).toBeLessThan(fraction);
}

describe("the shape of Gemma 4 31B", () => {
  it("has the counts that its makers' configuration gives", () => {
    const { blocks } = SHAPES.gemma4_31b;
    within(
      sumOf(blocks, ({ weights }) => weights),
      29.29e9,
      0.001,
    );
    within(weightsOf(SHAPES.gemma4_31b), 30.7e9, 0.001);
    expect(blocks.filter(({ window }) => window === null)).toHaveLength(10);
    expect(blocks[5]).toMatchObject({ headSize: 512, keyValueHeads: 4, window: null });
    expect(blocks[4]).toMatchObject({ headSize: 256, keyValueHeads: 16, window: 1024 });
  });

  it("is the same where a newer configuration names the global blocks one by one", () => {
    const { global_head_dim: _, num_global_key_value_heads: __, ...text } = GEMMA4_31B_CONFIG.text_config;
    const layer_types = Array.from({ length: 60 }, (_, n) =>
      (n + 1) % 6 === 0 ? "full_attention" : "sliding_attention",
    );
    const globals = layer_types.flatMap((type, n) => (type === "full_attention" ? [n] : []));
    const own = { head_dim: 512, num_key_value_heads: 4 };
    const per_layer_config = Object.fromEntries(globals.map((n) => [String(n), own]));
    const newer = shapeOf({ ...GEMMA4_31B_CONFIG, text_config: { ...text, layer_types, per_layer_config } });
    expect(newer.blocks).toEqual(SHAPES.gemma4_31b.blocks);
  });

  it("counts embeddings of single blocks, and no keys where a block reuses them", () => {
    const small = {
      ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 6, num_attention_heads: 4, head_dim: 16 },
      ...{ num_key_value_heads: 1, vocab_size: 1000, hidden_size_per_layer_input: 8, num_kv_shared_layers: 2 },
    };
    const shape = shapeOf({ model_type: "gemma4_text", ...small, use_double_wide_mlp: true });
    expect(shape.inputs).toBe(1000 * 6 * 8 + 3 * 6 * 8 * 64);
    const [own, reusing] = [shape.blocks[0], shape.blocks[5]];
    expect(own?.weights).toBe(2 * 64 * 64 + 2 * 64 * 16 + 3 * 64 * 128);
    expect(reusing?.weights).toBe(2 * 64 * 64 + 3 * 64 * 256);
  });

  it("knows a mixture of experts when it sees one", () => {
    const text = { ...GEMMA4_31B_CONFIG.text_config, enable_moe_block: true, num_experts: 128 };
    expect(shapeOf({ model_type: "gemma4", text_config: text }).hasExperts).toBe(true);
    expect(SHAPES.gemma4_31b.hasExperts).toBe(false);
  });
});

describe("the plan of Gemma 4 31B in 4 bits on four L4", () => {
  const plan = planOf();
  const sum = (part: "weights" | "embeddings" | "lora" | "optimizer") =>
    sumOf(plan.devices, ({ parts }) => parts[part]);

  it("says what the arithmetic by hand says, within a tenth", () => {
    within(NF4_BYTES * 8, 4.127, 0.001);
    within(sum("weights"), 14.1 * GIB);
    within(sum("embeddings"), 2.63 * GIB);
    within(embeddingWeights(SHAPES.gemma4_31b) * 2, 2.63 * GIB);
    within(plan.loraParameters, 122e6);
    for (const [rank, millions] of [[8, 61], [32, 245], [64, 490]] as const) // biome-ignore format: one line a table
      within(planOf({ config: config({ rank }) }).loraParameters, millions * 1e6);
    for (const [tokens, gib] of [
      [2048, 1.23],
      [4096, 2.46],
      [8192, 4.92],
      [16_384, 9.84],
    ] as const) {
      // biome-ignore format: one line a table
      const setting = { ...plan.setting, tokens };
      const kept = SHAPES.gemma4_31b.blocks.map((block) => blockMemory(SHAPES.gemma4_31b, block, setting).kept);
      within(sumOf(kept), gib * GIB);
    }
    const adamw = planOf({ config: config({ optimizer: "adamw" }) });
    within(
      sumOf(adamw.devices, ({ parts }) => parts.optimizer),
      0.98e9,
    );
  });

  it("fits, with blocks in order and the tied embedding on the first card", () => {
    expect(plan).toMatchObject({ fits: true, advice: null });
    expect(plan.devices.map(({ blocks: [from] }) => from).slice(1)).toEqual(
      plan.devices.map(({ blocks: [, to] }) => to).slice(0, 3),
    );
    expect([plan.devices[0]?.blocks[0], plan.devices[3]?.blocks[1]]).toEqual([0, 60]);
    expect(plan.devices.map(({ parts }) => parts.embeddings > 0)).toEqual([true, false, false, false]);
    for (const { parts, neededBytes, headroomBytes, freeBytes } of plan.devices) {
      expect(neededBytes).toBe(Math.ceil(total(parts)));
      expect(headroomBytes).toBe(Math.floor(freeBytes - neededBytes));
      expect(neededBytes).toBeLessThan(11 * GIB);
    }
  });

  it("takes about 6 hours on cards of an L4's speed for 4.9 million tokens", () => {
    const hours = (plan.wallTimes.find(({ card }) => card === "L4")?.durationMs ?? 0) / 3_600_000;
    within(hours, 6.2, 0.15);
  });

  it("takes longer by kto with rows beside each other, for what the mismatched answers cost", () => {
    const timeOf = (method: string, microBatchSize: number) =>
      planOf({ method, config: config({ microBatchSize }) }).wallTimes.find(({ card }) => card === "L4")?.durationMs ??
      0;
    within(timeOf("kto", 1), timeOf("dpo", 1) / 2, 0.001); // a pair is two answers
    within(timeOf("kto", 2), (timeOf("kto", 1) * 6) / 4, 0.001);
  });

  it("finds the longest row and the largest batch: one more does not fit", () => {
    const at = (max: number, microBatchSize: number) =>
      planOf({ lengths: { ...LENGTHS, max }, config: config({ microBatchSize, maxTokens: 2 ** 20 }) }).fits;
    expect(plan.longestTokens).toBeGreaterThan(4096);
    expect([at(plan.longestTokens, 1), at(plan.longestTokens + 1, 1)]).toEqual([true, false]);
    expect(plan.largestBatch).toBeGreaterThanOrEqual(1);
    expect([at(4096, plan.largestBatch), at(4096, plan.largestBatch + 1)]).toEqual([true, false]);
  });
});

describe("a plan that does not fit", () => {
  it("names the cheapest changes, and with them it fits", () => {
    const wasteful = config({
      quantization: "none",
      gradientCheckpointing: false,
      microBatchSize: 8,
      optimizer: "adamw",
    });
    const plan = planOf({ config: wasteful });
    expect(plan.fits).toBe(false);
    expect(plan.advice).toEqual(["--micro-batch-size 1", "--gradient-checkpointing"]);
    const changed = { microBatchSize: 1, gradientCheckpointing: true };
    expect(planOf({ config: { ...wasteful, ...changed } }).fits).toBe(true);
    expect(planOf({ config: wasteful, gpus: "2xL4" }).advice).toContain("--quantize nf4");
  });

  it("names only rows at once that a batch can be made of, whatever its size", () => {
    for (const [launch, gpus, tokens] of [
      ["single", 1, 7000],
      ["fsdp", 4, 2500],
    ] as const) {
      const advised = Array.from({ length: 32 }, (_, n) => {
        const own = config({ batchSize: gpus * (n + 1), microBatchSize: null, optimizer: "adamw" });
        const { advice } = planOf({ launch, config: own, lengths: { ...LENGTHS, max: tokens } });
        return { ...own, microBatchSize: rowsAtOnce(advice) };
      });
      for (const own of advised) {
        const asked = { method: "sft", launch, hasParent: false, validationRows: 0 };
        expect(() => checkSettings(own, asked)).not.toThrow();
        expect((own.microBatchSize ?? own.batchSize) % gpus).toBe(0);
      }
      expect(new Set(advised.map(({ microBatchSize }) => microBatchSize)).size).toBeGreaterThan(2);
    }
  });

  it("names no single row at once for kto, whose loss would be another", () => {
    const adviceFor = (method: string, batchSize: number) => {
      const own = config({ batchSize, microBatchSize: null });
      return rowsAtOnce(planOf({ method, config: own, lengths: { ...LENGTHS, max: 7000 } }).advice);
    };
    expect([adviceFor("sft", 17), adviceFor("kto", 17)]).toEqual([1, null]);
    expect(adviceFor("kto", 16)).toBeGreaterThan(1);
  });

  it("asks for more cards where nothing else helps, and for nothing where that does not help either", () => {
    expect(planOf({ gpus: "1xL4" }).advice).toEqual(["2 such GPUs"]);
    expect(planOf({ gpus: "1x1GB" })).toMatchObject({ fits: false, advice: null, longestTokens: 0, largestBatch: 0 });
  });

  it("would rather leave out long rows than take more cards", () => {
    const lengths = { ...LENGTHS, p50: 900, p99: 4000, max: 100_000 };
    expect(planOf({ lengths }).advice).toEqual(["--max-tokens 4000 --too-long drop"]);
  });
});

describe("what grows with what", () => {
  const needed = (given: object, method = "sft") =>
    Math.max(...planOf({ config: config(given), method }).devices.map(({ neededBytes }) => neededBytes));

  it("is more for pairs than for answers, for all weights than for a LoRA, without checkpoints than with", () => {
    expect(needed({}, "dpo")).toBeGreaterThan(needed({}));
    expect(needed({}, "kto")).toBe(needed({}));
    expect(needed({ trains: "full", quantization: "none" })).toBeGreaterThan(needed({ quantization: "none" }));
    expect(needed({ gradientCheckpointing: false })).toBeGreaterThan(needed({}));
    expect(needed({ rank: 64 })).toBeGreaterThan(needed({}));
    expect(needed({ packing: true, maxTokens: 8192 })).toBe(needed({}));
  });
});

describe("packed rows", () => {
  it("lie end to end, those of one micro-batch: packing never needs more, however long a row may be", () => {
    const packed = planOf({ config: config({ packing: true, maxTokens: 2 ** 17, microBatchSize: 2 }) });
    expect(packed).toMatchObject({ fits: true, setting: { batch: 2, tokens: 4096 } });
    expect(packed.devices).toEqual(planOf({ config: config({ maxTokens: 2 ** 17, microBatchSize: 2 }) }).devices);
  });

  it("fill sequences of that many tokens by Axolotl", () => {
    const tokensOf = (packing: boolean) =>
      planOf({ supports: axolotl.supports, config: config({ packing, maxTokens: 8192 }) }).setting.tokens;
    expect([tokensOf(false), tokensOf(true)]).toEqual([4096, 8192]);
  });
});

describe("a training by Axolotl", () => {
  const one = { gpus: "1xA100-40", lengths: { ...LENGTHS, max: 3500 } };
  const [ours, axolotls] = [peft, axolotl].map(({ supports }) => planOf({ ...one, supports }).devices[0]?.parts);

  it("holds the tower, and embeddings in float32, beside what ours holds", () => {
    expect([ours?.towers, axolotls?.towers]).toEqual([0, SHAPES.gemma4_31b.towers * 4]);
    expect(axolotls?.embeddings).toBe(2 * (ours?.embeddings ?? 0));
    const plain = config({ quantization: "none" });
    const unquantised = planOf({ gpus: "1xA100-80", supports: axolotl.supports, config: plain }).devices[0]?.parts;
    expect([unquantised?.embeddings, unquantised?.towers]).toEqual([ours?.embeddings, SHAPES.gemma4_31b.towers * 2]);
  });

  it("makes logits in chunks, but of a validation row all at once, when no activations are alive", () => {
    const logitsOf = (others: number, gpus = "1xA100-80") =>
      planOf({ ...one, gpus, supports: axolotl.supports, lengths: { ...one.lengths, others } }).devices[0]?.parts;
    expect(logitsOf(0)?.logits).toBe(ours?.logits);
    const { logits = 0, activations = 0 } = logitsOf(3500) ?? {};
    within(logits + activations, 3500 * 262_144 * 10, 1e-9);
  });
});

describe("the cards that --gpus names", () => {
  it("are kinds or sizes with a number", () => {
    expect(parseGpus("2xl4, A100-80").map(({ name }) => name)).toEqual(["L4", "L4", "A100-80"]);
    expect(parseGpus("4x24GB")).toHaveLength(4);
    expect(parseGpus("24GiB")[0]?.totalBytes).toBe(24 * GIB);
  });

  for (const wrong of ["", "4x", "0xL4", "L5", "4xL4x2", "4 L4", "-1xL4", "99999xL4", "2x0GB", "L4\0"]) {
    it(`are refused where they are none: ${JSON.stringify(wrong)}`, () => {
      expect(() => parseGpus(wrong)).toThrowError(expect.objectContaining({ code: "BAD_GPUS" }));
    });
  }
});
