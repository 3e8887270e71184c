import { expect, test } from "vitest";
import { draftOf, openParts } from "../../src/commands/validate-draft.ts";
import { validateInput } from "../../src/commands/validate-input.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { placeOf, promote } from "../../src/registry/index.ts";
import { readAdapterManifest, readBaseManifest } from "../../src/store/manifests.ts";
import { putAdapter, withChain } from "../registry/setting.ts";

test("the arm champion is the adapter that is named, and else the one that answers for the worker now", () =>
  withChain(async ({ home, clock, datasetHash, adapterHash }) => {
    const later = await putAdapter(home, datasetHash, { name: "later" });
    const candidate = await putAdapter(home, datasetHash, { name: "candidate" });
    await promote(home, { adapter: "sql-v1", place: placeOf("sql"), override: "a test", clock });
    await promote(home, { adapter: "later", place: placeOf("sql"), override: "a test", clock });
    const adapter = await readAdapterManifest(home, candidate);
    const base = await readBaseManifest(home, adapter.base);
    const servedBy = async (given: { champion?: string }) => {
      const options = validateInput.parse({ skill: "sql", limit: 2, against: "champion", ...given });
      const parts = await openParts(options);
      const draft = await draftOf(options, home, { parts, base, adapter, gate: gateSchema.parse({}), general: [] });
      return draft.arms.find(({ arm }) => arm === "champion")?.adapterHash;
    };
    expect(await servedBy({})).toBe(later);
    expect(await servedBy({ champion: adapterHash })).toBe(adapterHash);
    await promote(home, { adapter: "sql-v1", place: placeOf("sql/worker"), override: "a test", clock });
    expect(await servedBy({})).toBe(adapterHash);
    await expect(servedBy({ champion: "nobody" })).rejects.toMatchObject({ code: "UNKNOWN_ADAPTER" });
  }));

test("families of a seed's own are no other seed's, and are refused of a skill that makes none", async () => {
  const familiesOf = async (itemSeed: number, freshFamilies = true) => {
    const [{ part }] = await openParts(validateInput.parse({ skill: "sql", itemSeed, freshFamilies }));
    expect(part.isFresh).toBe(freshFamilies ? true : undefined);
    return new Set(part.items.map(({ family }) => family));
  };
  const [written, first, second] = [await familiesOf(1, false), await familiesOf(1), await familiesOf(2)];
  expect([written.size, first.size, second.size]).toEqual([13, 13, 13]);
  expect(new Set([...written, ...first, ...second]).size).toBe(39);
  await expect(openParts(validateInput.parse({ skill: "cron", freshFamilies: true }))).rejects.toMatchObject({
    code: "NO_FRESH_FAMILIES",
  });
});
