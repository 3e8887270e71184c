import { beforeAll, describe, expect, it } from "vitest";
import { TIERS, type Tier } from "../../src/records/selection.ts";
import { methodNamed, methodsFor } from "../../src/train/methods.ts";
import { withHome } from "../store/sample-run.ts";
import { addTinyBase, CONFIG, train, writeDataset } from "./sample-training.ts";

const TIER_OF: Record<string, Tier> = { sft: "demonstrations", dpo: "preference-pairs", kto: "judged" };

beforeAll(() => {
  process.env.OMP_NUM_THREADS = "1";
});

describe("a training method", () => {
  it("takes one tier, and each of these tiers has a method", async () => {
    for (const [method, tier] of Object.entries(TIER_OF)) {
      expect((await methodNamed(method)).tier).toBe(tier);
      expect(await methodsFor(tier)).toEqual([method]);
    }
    await expect(methodNamed("dpoo")).rejects.toMatchObject({
      code: "UNKNOWN_METHOD",
      details: { fix: 'did you mean "dpo"?' },
    });
  });

  it.each(Object.keys(TIER_OF))("%s refuses every other tier, and says which method takes it", (method) =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      for (const tier of TIERS.filter((one) => one !== TIER_OF[method])) {
        const dataset = await writeDataset(home, base, { tier });
        const [other] = await methodsFor(tier);
        await expect(train(home, dataset, { method })).rejects.toMatchObject({
          code: "DATASET_OF_ANOTHER_TIER",
          details: {
            ...{ expected: `the tier ${TIER_OF[method]}`, got: tier },
            fix: expect.stringContaining(other === undefined ? "README.md" : `--method ${other}`),
          },
        });
      }
    }),
  );

  it("is refused a dataset of its tier that lacks its columns, as an older one does", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      for (const [method, missing] of [
        ["dpo", "chosen_ids"],
        ["kto", "label"],
      ] as const) {
        const dataset = await writeDataset(home, base, { tier: TIER_OF[method] as Tier, columns: "demonstrations" });
        await expect(train(home, dataset, { method })).rejects.toMatchObject({
          code: "DATASET_WITHOUT_COLUMNS",
          details: { got: expect.stringContaining(missing), fix: expect.stringContaining("--base tiny") },
        });
      }
    }));

  it("that compares good and bad answers is refused a dataset of one kind, an empty one, and rows that are too long", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const good = await writeDataset(home, base, { tier: "judged", good: 8 });
      await expect(train(home, good, { method: "kto" })).rejects.toMatchObject({
        code: "ONE_LABEL_ALONE",
        details: { got: "8 good, 0 bad" },
      });
      const empty = await writeDataset(home, base, { tier: "preference-pairs", train: 0 });
      await expect(train(home, empty, { method: "dpo" })).rejects.toMatchObject({ code: "NO_TRAIN_ROWS" });
      const pairs = await writeDataset(home, base, { tier: "preference-pairs" });
      const config = { ...CONFIG, maxTokens: 12 };
      await expect(train(home, pairs, { method: "dpo", config })).rejects.toMatchObject({
        code: "ROW_TOO_LONG",
        details: { fix: expect.stringContaining("--max-tokens") },
      });
    }));

  it("that learns from preferences reports its margin and leaves it in the curve", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      for (const method of ["dpo", "kto"]) {
        const dataset = await writeDataset(home, base, { tier: TIER_OF[method] as Tier });
        const margins: (number | undefined)[] = [];
        const adapter = await train(home, dataset, {
          method,
          onProgress: (progress) => progress.type === "step" && margins.push(progress.margin),
        });
        expect(margins.filter((margin) => margin !== undefined).length).toBeGreaterThan(0);
        expect(adapter).toMatchObject({ method, parent: null });
        expect(adapter.curve.at(-1)?.validation).toMatchObject({
          ...{ loss: expect.any(Number), margin: expect.any(Number), accuracy: expect.any(Number) },
        });
      }
    }));
});

describe("going on from an adapter", () => {
  it("begins with its weights, names it as the parent, and refuses one of another base or size", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const rows = await writeDataset(home, base);
      const parent = await train(home, rows, { name: "sql-v1", config: { ...CONFIG, epochs: 10 } });
      const pairs = await writeDataset(home, base, { tier: "preference-pairs" });
      const child = await train(home, pairs, { method: "dpo", name: "sql-v2", from: "sql-v1" });
      expect(child.parent).toBe(parent.adapterHash);
      const bare = await train(home, pairs, { method: "dpo" });
      expect(bare.parent).toBeNull();
      expect(child.curve[0]?.margin).toBeCloseTo(0, 2);
      expect(child.curve[0]?.chosenLogprob).not.toBeCloseTo(bare.curve[0]?.chosenLogprob ?? 0, 0);

      const larger = { ...CONFIG, rank: 8 };
      await expect(train(home, pairs, { method: "dpo", from: "sql-v1", config: larger })).rejects.toMatchObject({
        code: "PARENT_OF_ANOTHER_SHAPE",
        details: { fix: expect.stringContaining("--rank 4") },
      });
    }));
});
