import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashFile } from "../../src/foundation/hashing.ts";
import { addBase } from "../../src/serve/add-base.ts";
import { startServer } from "../../src/serve/server.ts";
import { listAdapters } from "../../src/store/manifests.ts";
import { checkOutputs } from "../../src/train/outputs.ts";
import { withHome } from "../store/sample-run.ts";
import { addTinyBase, CONFIG, train, writeDataset } from "./sample-training.ts";

const MODEL_FILES = [
  ...["chat_template.jinja", "config.json", "generation_config.json", "model.safetensors"],
  ...["tokenizer.json", "tokenizer_config.json"],
];

beforeAll(() => {
  process.env.OMP_NUM_THREADS = "1";
});

describe("a training of all weights", () => {
  it("leaves a whole model, which is no adapter to serve but a base to add", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const dataset = await writeDataset(home, base);
      const out = join(home.path, "models", "tiny-shop");
      const trained = await train(home, dataset, { config: { ...CONFIG, trains: "full" }, out });
      const paths = ["curve.svg", ...MODEL_FILES.map((name) => `merged/${name}`), "probes.json"];
      expect(trained.files.map(({ path }) => path)).toEqual(paths);
      expect(trained.config.trains).toBe("full");
      expect(trained.ggufRefused).toMatch(/base of its own/);
      expect((await readdir(out)).sort()).toEqual(MODEL_FILES);
      const folder = home.adapterFolder(trained.adapterHash);
      expect(await hashFile(join(out, "model.safetensors"))).toBe(
        await hashFile(join(folder, "merged", "model.safetensors")),
      );
      const fix = `tracemill base add NAME --hf ${join(folder, "merged")}`;
      for (const target of ["llamacpp", "vllm"]) {
        const serving = startServer({ home, base: "tiny", adapters: [trained.adapterHash], target });
        await expect(serving).rejects.toMatchObject({ code: "ADAPTER_IS_A_BASE", details: { fix } });
      }
      const convert = async () => {};
      const added = await addBase(home, { name: "shop", hf: join(folder, "merged"), convert, clock: systemClock });
      expect(added.baseHash).not.toBe(base.baseHash);
      expect([added.tokenizerHash, added.templateHash]).toEqual([base.tokenizerHash, base.templateHash]);
    }));
});

describe("the outputs of a training", () => {
  it("are, where asked for, the merged model beside the adapter and a copy where a server looks", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      const out = join(home.path, "served", "shop-v1");
      await mkdir(out, { recursive: true });
      const trained = await train(home, dataset, { out, merge: true });
      const folder = home.adapterFolder(trained.adapterHash);
      expect(trained.ggufRefused).toBeUndefined();
      expect((await readdir(out)).sort()).toEqual([
        ...["adapter.gguf", "adapter_config.json", "adapter_model.safetensors"],
        ...["curve.svg", "manifest.json", "probes.json"],
      ]);
      for (const { path, hash } of trained.files) expect(await hashFile(join(out, path))).toBe(hash);
      expect((await readdir(join(folder, "merged"))).sort()).toEqual(MODEL_FILES);
      const { base_model_name_or_path: servedAt } = JSON.parse(
        await readFile(join(out, "adapter_config.json"), "utf8"),
      ) as { base_model_name_or_path: string };
      expect(await readdir(servedAt)).toContain("model.safetensors");

      // Of an adapter that is there already, what is missing is made without training again.
      const steps: number[] = [];
      const second = join(home.path, "served", "again");
      expect(await train(home, dataset, { out: second, merge: true, steps })).toEqual(trained);
      expect(steps).toEqual([]);
      expect(await readdir(second)).toHaveLength(6);
      expect(await readdir(join(folder, "merged"))).toContain("model.safetensors");
      expect((await readdir(join(home.path, "served"))).sort()).toEqual(["again", "shop-v1"]);
    }));

  it("are refused before the training where the folder for the copy holds something", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      const out = join(home.path, "served");
      await mkdir(out);
      await writeFile(join(out, "adapter_config.json"), "{}");
      const steps: number[] = [];
      const refused = train(home, dataset, { out, steps });
      await expect(refused).rejects.toMatchObject({ code: "OUT_NOT_EMPTY", details: { got: "adapter_config.json" } });
      await expect(train(home, dataset, { out: join(out, "adapter_config.json") })).rejects.toMatchObject({
        code: "OUT_NOT_EMPTY",
      });
      expect(steps).toEqual([]);
      expect(await listAdapters(home)).toEqual([]);
      expect(await readFile(join(out, "adapter_config.json"), "utf8")).toBe("{}");
    }));
});

describe("a training that cannot be started", () => {
  it("is refused where the disk has no room for what was asked for", () =>
    withHome(async (home) => {
      const base = await addTinyBase(home);
      const files = base.files.map((file) => ({ ...file, sizeBytes: 1e15 }));
      const outputs = { home, baseFolder: "", signal: new AbortController().signal, onProgress: () => {} };
      const planned = { base: { ...base, files }, config: CONFIG, isTrained: true };
      await checkOutputs(outputs, planned);
      const refused = { code: "NO_DISK_SPACE", message: expect.stringContaining("the merged model") };
      await expect(checkOutputs({ ...outputs, merge: true }, planned)).rejects.toMatchObject(refused);
      const full = { ...planned, config: { ...CONFIG, trains: "full" as const } };
      await checkOutputs({ ...outputs, merge: true }, full);
      await expect(checkOutputs(outputs, { ...full, isTrained: false })).rejects.toMatchObject({
        code: "NO_DISK_SPACE",
        details: { expected: "13000000000 MB" },
      });
    }));

  it.skipIf(existsSync("/dev/nvidia1"))("is refused without the GPUs that it needs (skipped where two are there)", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      await expect(train(home, dataset, { launch: "fsdp" })).rejects.toMatchObject({ code: "NO_GPUS" });
      expect(await listAdapters(home)).toEqual([]);
    }),
  );

  it("is refused at once where its settings exclude each other", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      const config = { ...CONFIG, trains: "full", quantization: "nf4" } as const;
      await expect(train(home, dataset, { config, method: "dpo", launch: "fsdp" })).rejects.toMatchObject({
        code: "BAD_SETTINGS",
        details: { got: "--quantize nf4, --method dpo, --launch fsdp" },
      });
      expect(await listAdapters(home)).toEqual([]);
    }));
});
