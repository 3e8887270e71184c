import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { extensionIds, loadExtension } from "../../src/foundation/discovery.ts";
import { familyOf } from "../../src/train/families.ts";
import type { ModelFamily } from "../../src/train/family.ts";

const FOLDER = join(import.meta.dirname, "../../src/train/families");

async function families(): Promise<[string, ModelFamily][]> {
  const ids = await extensionIds(FOLDER);
  return Promise.all(ids.map(async (id) => [id, await loadExtension<ModelFamily>(FOLDER, "family", id)] as const)).then(
    (all) => all.map(([id, family]) => [id, family]),
  );
}

describe("families of models", () => {
  it("are found by every model_type that is theirs, and no type has two", async () => {
    const types = (await families()).flatMap(([id, { modelTypes }]) => modelTypes.map((type) => ({ id, type })));
    expect(new Set(types.map(({ type }) => type)).size).toBe(types.length);
    expect(types.map(({ type }) => type).sort()).toEqual([
      ...["gemma3", "gemma3_text", "gemma4", "gemma4_text", "llama", "mistral", "qwen3"],
    ]);
    for (const { id, type } of types) {
      const { default: family } = (await import(join(FOLDER, `${id}.ts`))) as { default: ModelFamily };
      expect(await familyOf(type)).toBe(family);
    }
    await expect(familyOf("gpt2")).rejects.toMatchObject({ code: "UNKNOWN_FAMILY" });
  });

  it("put a LoRA on the text stack's projections, whole names alone", async () => {
    for (const [id, { loraTargets }] of await families()) {
      const matches = (name: string) => new RegExp(`^(?:${loraTargets})$`).test(name);
      expect(matches("model.layers.11.self_attn.q_proj"), id).toBe(true);
      expect(matches("model.layers.0.mlp.down_proj"), id).toBe(true);
      for (const other of [
        ...["lm_head", "model.embed_tokens", "model.layers.0.self_attn.q_norm"],
        ...["model.vision_tower.encoder.layers.0.self_attn.q_proj", "model.layers.0.self_attn.q_proj.linear"],
        "model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj",
      ]) {
        expect(matches(other), `${id}: ${other}`).toBe(false);
      }
    }
  });

  it("want less of preference methods than of sft, and clip the 31B of Gemma 4 hard", async () => {
    for (const [id, { defaults }] of await families()) {
      for (const parameters of [3e8, 4e9, 31e9]) {
        expect(defaults("dpo", parameters).learningRate, id).toBeLessThan(defaults("sft", parameters).learningRate);
      }
    }
    const gemma4 = await familyOf("gemma4");
    expect(gemma4.defaults("sft", 30.7e9)).toEqual({ learningRate: 5e-5, maxGradNorm: 0.1, adamBeta2: 0.995 });
    expect(gemma4.defaults("sft", 5.1e9)).toEqual({ learningRate: 2e-4, maxGradNorm: 1, adamBeta2: 0.999 });
  });
});
