import { appendFile, cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashFile, hashJson, hashText } from "../../src/foundation/hashing.ts";
import { adapterManifestSchema } from "../../src/records/adapter-manifest.ts";
import { addBase } from "../../src/serve/add-base.ts";
import type { Home } from "../../src/store/home.ts";
import { readLedger } from "../../src/store/ledger.ts";
import { listAdapters, readAdapterManifest, readProbes } from "../../src/store/manifests.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";
import { withHome } from "../store/sample-run.ts";
import { addTinyBase, CONFIG, train, writeDataset } from "./sample-training.ts";

beforeAll(() => {
  process.env.OMP_NUM_THREADS = "1";
});

async function registrations(home: Home): Promise<unknown[]> {
  const data = [];
  for await (const entry of readLedger(home)) if (entry.type === "adapter_registered") data.push(entry.data);
  return data;
}

async function leftovers(home: Home): Promise<string[]> {
  const names = await readdir(join(home.path, "adapters")).catch(() => []);
  return names.filter((name) => name.startsWith("training-"));
}

describe("training an adapter", () => {
  it("leaves it under its hash with every file named by its own, and in the ledger", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const dataset = await writeDataset(home, base);
      const steps: number[] = [];
      const trained = await train(home, dataset, { name: "sql-v1", steps });
      expect(steps).toEqual([1, 2, 3, 4]);
      const folder = home.adapterFolder(trained.adapterHash);
      const { adapterHash, ...rest } = adapterManifestSchema.parse(
        JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")),
      );
      expect(hashJson(rest)).toBe(adapterHash);
      expect(rest).toMatchObject({
        ...{ name: "sql-v1", base: "tiny", baseHash: base.baseHash, datasetHash: dataset.datasetHash },
        ...{ skills: ["sql"], role: "worker", method: "sft", backend: "peft", config: CONFIG },
        ...{ tokenizerHash: base.tokenizerHash, templateHash: base.templateHash, trainedTokens: 80 },
      });
      expect(rest.files.map(({ path }) => path)).toEqual([
        ...["adapter.gguf", "adapter_config.json", "adapter_model.safetensors", "curve.svg", "probes.json"],
      ]);
      for (const { path, hash } of rest.files) expect(await hashFile(join(folder, path))).toBe(hash);
      expect(rest.curve.map(({ step, validationLoss }) => [step, validationLoss !== null])).toEqual([
        ...[[1, false], [2, true], [3, false], [4, true]], // biome-ignore format: one line a curve
      ]);
      expect((await readProbes(home, "sql-v1")).probes).toHaveLength(2);
      expect(await registrations(home)).toEqual([{ adapterHash, name: "sql-v1" }]);
      expect(await leftovers(home)).toEqual([]);

      // The same inputs give the adapter that is there.
      const again: number[] = [];
      expect(await train(home, dataset, { name: "sql-v1", steps: again })).toEqual(trained);
      expect(again).toEqual([]);
      expect(await registrations(home)).toHaveLength(1);

      const other = { name: "sql-v1", config: { ...CONFIG, seed: 2 } };
      await expect(train(home, dataset, other)).rejects.toMatchObject({ code: "NAME_TAKEN" });
      expect((await readAdapterManifest(home, "sql-v1")).adapterHash).toBe(adapterHash);
      const asBase = addBase(home, {
        name: "sql-v1",
        ...(await tinyBase()),
        convert: async () => {},
        clock: systemClock,
      });
      await expect(asBase).rejects.toMatchObject({
        code: "NAME_TAKEN",
        details: { got: expect.stringContaining("tiny") },
      });
    }));

  it("gives a name to one of two trainings that ask for it at once, and to no base meanwhile", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      let added: Promise<unknown> | undefined;
      const files = { ...(await tinyBase()), convert: async () => {}, clock: systemClock };
      const onProgress = () => {
        added ??= addBase(home, { name: "sql-v1", ...files }).catch(({ code }) => code);
      };
      const given = [1, 2].map((seed) => ({ name: "sql-v1", config: { ...CONFIG, seed }, onProgress }));
      const ended = await Promise.allSettled(given.map((one) => train(home, dataset, one)));
      const refused = ended.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
      expect(refused).toEqual(["LOCKED"]);
      expect((await listAdapters(home)).map(({ name }) => name)).toEqual(["sql-v1"]);
      expect(["LOCKED", "NAME_TAKEN"]).toContain(await added);
      expect(await leftovers(home)).toEqual([]);
    }));

  it("goes on from its last checkpoint after it was stopped", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      const config = { ...CONFIG, epochs: 50 };
      const stop = new AbortController();
      const before: number[] = [];
      const stopped = train(home, dataset, {
        config,
        signal: stop.signal,
        steps: before,
        onProgress: (progress) => progress.type === "step" && progress.step === 20 && stop.abort(),
      });
      await expect(stopped).rejects.toMatchObject({ boundary: "trainer", code: "INTERRUPTED" });
      expect(await listAdapters(home)).toEqual([]);
      expect(await leftovers(home)).toHaveLength(1);
      const after: number[] = [];
      const trained = await train(home, dataset, { config, steps: after });
      expect(after[0]).toBe((before.at(-1) ?? 0) + 1);
      expect([...before, ...after]).toEqual(trained.curve.map(({ step }) => step));
      expect(trained.curve).toHaveLength(100);
      expect(await leftovers(home)).toEqual([]);
    }));
});

describe("a training that cannot be", () => {
  const refusals: { title: string; code: string; given: object; prepare?: (home: Home) => Promise<void> }[] = [
    { title: "an unknown dataset", code: "UNKNOWN_DATASET", given: { dataset: "ffff" } },
    { title: "an unknown base", code: "UNKNOWN_BASE", given: { base: "tinny" } },
    { title: "an unknown backend", code: "UNKNOWN_BACKEND", given: { backend: "pefd" } },
    { title: "a method that the backend has not", code: "UNKNOWN_METHOD", given: { method: "ppo" } },
    { title: "an unknown adapter to go on from", code: "UNKNOWN_ADAPTER", given: { from: "sql-v0" } },
    { title: "a name that is none", code: "BAD_NAME", given: { name: "My Adapter/1" } },
    { title: "the name of the base", code: "NAME_TAKEN", given: { name: "tiny" } },
    {
      ...{ title: "the name of another base", code: "NAME_TAKEN", given: { name: "gemma" } },
      prepare: async (home) => {
        await addBase(home, { name: "gemma", ...(await tinyBase()), convert: async () => {}, clock: systemClock });
      },
    },
    { title: "a row that is too long", code: "ROW_TOO_LONG", given: { config: { ...CONFIG, maxTokens: 12 } } },
  ];
  for (const { title, code, given, prepare } of refusals) {
    it(`is refused before anything is written: ${title}`, () =>
      withHome(async (home) => {
        const dataset = await writeDataset(home, await addTinyBase(home));
        await prepare?.(home);
        await expect(train(home, dataset, given)).rejects.toMatchObject({ name: "Refusal", code });
        expect(await listAdapters(home)).toEqual([]);
        expect(await leftovers(home)).toEqual([]);
        expect(await registrations(home)).toEqual([]);
      }));
  }

  it("is refused for a dataset of another base, saying which hashes differ", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const other = { ...base, name: "other", templateHash: hashText("another template") };
      const dataset = await writeDataset(home, other);
      await expect(train(home, dataset)).rejects.toMatchObject({
        code: "DATASET_OF_ANOTHER_BASE",
        details: { expected: `templateHash ${base.templateHash.slice(0, 12)}`, got: expect.stringContaining("other") },
      });
    }));

  it("is refused for a base whose files in place are not those that were added", () =>
    withHome(async (home) => {
      const hf = join(home.path, "hf");
      await cp((await tinyBase()).hf, hf, { recursive: true });
      const dataset = await writeDataset(
        home,
        await addBase(home, { name: "tiny", hf, convert: async () => {}, clock: systemClock }),
      );
      for (const name of ["model.safetensors", "chat_template.jinja"]) {
        const kept = await readFile(join(hf, name));
        await appendFile(join(hf, name), "x");
        await expect(train(home, dataset)).rejects.toMatchObject({
          ...{ code: "BASE_CHANGED", details: { where: expect.stringContaining(hf) } },
        });
        await writeFile(join(hf, name), kept);
      }
      expect(await leftovers(home)).toEqual([]);
    }));

  it("is refused for a dataset of texts alone", () =>
    withHome(async (home) => {
      await addTinyBase(home);
      const texts = await writeDataset(home, { name: null, tokenizerHash: null, templateHash: null });
      await expect(train(home, texts)).rejects.toMatchObject({
        code: "DATASET_WITHOUT_TOKENS",
        details: { fix: "export it again with --base tiny" },
      });
    }));

  it("is refused for a dataset without train rows, and for one whose file was edited", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const empty = await writeDataset(home, base, { train: 0 });
      await expect(train(home, empty)).rejects.toMatchObject({ code: "NO_TRAIN_ROWS" });
      const dataset = await writeDataset(home, base);
      await appendFile(join(home.datasetFolder(dataset.datasetHash), "tokens", "train.parquet"), "x");
      await expect(train(home, dataset)).rejects.toMatchObject({
        code: "DATASET_CHANGED",
        details: { where: expect.stringContaining("tokens/train.parquet") },
      });
    }));
});
