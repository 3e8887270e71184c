import fc from "fast-check";
import { expect, it } from "vitest";
import type { ItemId } from "../../src/records/ids.ts";
import type { Draft, Skill, SkillManifest } from "../../src/skills/contract.ts";
import { scanItems } from "../../src/skills/scan.ts";
import { splitOf } from "../../src/skills/splits.ts";

const manifest = {
  id: "toy",
  version: "1",
  description: "Toy.",
  salt: "toy",
  splitFractions: { train: 0.5, validation: 0.12, test: 0.38 },
  failureModes: [],
  maxTokens: 10,
};

function toy(families: readonly string[], perKind = 3): Skill {
  const drafts: Draft[] = families.flatMap((family) =>
    ["a", "b", "c"].flatMap((kind) =>
      Array.from({ length: perKind }, (_, n) => ({
        item: `toy:${family}-${kind}-${n}` as ItemId,
        family,
        kind,
        task: "",
        detail: {},
      })),
    ),
  );
  return { manifest, items: async () => drafts } as unknown as Skill;
}

const FAMILIES = Array.from({ length: 40 }, (_, i) => `family-${i}`);

it("gives a family the same split whatever other families there are", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (family, train) => {
      const fractions = { train, validation: (1 - train) / 2, test: (1 - train) / 2 };
      const split = splitOf({ ...manifest, splitFractions: fractions }, family);
      const renewed: SkillManifest = { ...manifest, version: "2", splitFractions: fractions };
      expect(splitOf(renewed, family)).toBe(split);
    }),
  );
});

it("shares families out as the manifest says", () => {
  const splits = Array.from({ length: 4000 }, (_, i) => splitOf(manifest, `f${i}`));
  const share = (split: string) => splits.filter((one) => one === split).length / splits.length;
  expect(share("train")).toBeCloseTo(0.5, 1);
  expect(share("validation")).toBeCloseTo(0.12, 1);
  expect(share("test")).toBeCloseTo(0.38, 1);
});

it("takes a limit evenly over families, and over kinds within each", async () => {
  const families = FAMILIES.filter((family) => splitOf(manifest, family) === "train");
  const items = await scanItems(toy(FAMILIES), { seed: 5, split: "train", limit: families.length * 3 });
  for (const family of families) {
    const kinds = items.filter((item) => item.family === family).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["a", "b", "c"]);
  }
});

it("gives the beginning of the whole order when it is limited", async () => {
  const whole = await scanItems(toy(FAMILIES), { seed: 3, split: "test" });
  expect(await scanItems(toy(FAMILIES), { seed: 3, split: "test", limit: 7 })).toEqual(whole.slice(0, 7));
  expect(await scanItems(toy(FAMILIES), { seed: 4, split: "test" })).not.toEqual(whole);
});

it("refuses two items of one id", async () => {
  await expect(scanItems(toy(["x", "x"]), { seed: 1, split: "train" })).rejects.toMatchObject({
    code: "DUPLICATE_ITEM",
    details: { got: "toy:x-a-0" },
  });
});

it("refuses a split without families, and says where they lie", async () => {
  const family = FAMILIES.find((one) => splitOf(manifest, one) === "train") as string;
  await expect(scanItems(toy([family]), { seed: 1, split: "test" })).rejects.toMatchObject({
    code: "NO_ITEMS",
    details: { got: `${family} (train)` },
  });
});
