/** Settings that exclude each other, and what a backend has no equal of, are refused before any work. */
import { describe, expect, it } from "vitest";
import type { TrainConfig } from "../../src/records/adapter-manifest.ts";
import axolotl from "../../src/train/backends/axolotl.ts";
import peft from "../../src/train/backends/peft.ts";
import unsloth from "../../src/train/backends/unsloth.ts";
import { checkSettings } from "../../src/train/check-settings.ts";
import { checkSupport } from "../../src/train/support.ts";
import { CONFIG } from "./sample-training.ts";

const ASKED = { method: "sft", launch: "single", hasParent: false, validationRows: 3 } as const;
const rehearsal = { file: "general.jsonl", hash: "0".repeat(64), fraction: 0.1 } as TrainConfig["rehearsal"];

describe("settings", () => {
  it("that go together are taken", () => {
    checkSettings(CONFIG, ASKED);
    checkSettings({ ...CONFIG, patience: 2, maxKl: 1, microBatchSize: 1, rehearsal }, ASKED);
    checkSettings(CONFIG, { ...ASKED, method: "dpo", hasParent: true });
  });

  it.each([
    ["general rows with preferences", { rehearsal }, { method: "kto" }, "--method kto"],
    ["patience without validation rows", { patience: 1 }, { validationRows: 0 }, "none"],
    [
      "what several processes do not share",
      { optimizer: "adamw-8bit", maxKl: 1, patience: 1, microBatchSize: 1 },
      { launch: "fsdp", method: "dpo" },
      "--method dpo, --optimizer adamw-8bit, --max-kl",
    ],
    ["all weights in 4 bits", { trains: "full", quantization: "nf4" }, {}, "--quantize nf4"],
    ["packed preferences", { packing: true }, { method: "dpo" }, "--method dpo"],
    ["a batch of no whole micro-batches", { batchSize: 8, microBatchSize: 3 }, {}, "--batch-size 8"],
    ["all weights held to a base that is gone", { trains: "full", maxKl: 1 }, {}, "--max-kl"],
    ["all weights from an adapter", { trains: "full" }, { hasParent: true }, "--from"],
  ] as const)("are refused: %s", (_, config, asked, got) => {
    const check = () => checkSettings({ ...CONFIG, ...config } as TrainConfig, { ...ASKED, ...asked });
    expect(check).toThrow(expect.objectContaining({ code: "BAD_SETTINGS", details: expect.objectContaining({ got }) }));
  });
});

describe("a backend", () => {
  const asked = { ...ASKED, modelType: "llama", config: CONFIG };

  it("of our own goes on from adapters and starts in every way", () => {
    checkSupport({ id: "peft", ...peft }, { ...asked, hasParent: true, launch: "fsdp" });
  });

  it.each([
    ["axolotl", axolotl],
    ["unsloth", unsloth],
  ] as const)("of others does not: %s", (id, backend) => {
    checkSupport({ id, ...backend }, asked);
    for (const [change, got] of [
      [{ hasParent: true }, "--from"],
      [{ launch: "fsdp" }, "--launch fsdp"],
    ] as const) {
      expect(() => checkSupport({ id, ...backend }, { ...asked, ...change })).toThrow(
        expect.objectContaining({ code: "UNSUPPORTED_SETTING", details: expect.objectContaining({ got }) }),
      );
    }
  });
});
