import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { trainConfigSchema } from "../../../src/records/adapter-manifest.ts";
import { readProbes } from "../../../src/store/manifests.ts";
import { axolotlConfig } from "../../../src/train/axolotl-config.ts";
import axolotl from "../../../src/train/backends/axolotl.ts";
import { familyOf } from "../../../src/train/families.ts";
import { writeTrainConfig } from "../../../src/train/index.ts";
import { processesNaming } from "../../fixtures/processes.ts";
import { ROOT } from "../../fixtures/venv.ts";
import { withHome } from "../../store/sample-run.ts";
import { addTinyBase, CONFIG, train, writeDataset } from "../sample-training.ts";

const PATH = process.env.PATH;
const GOLDEN = join(import.meta.dirname, "golden", "axolotl.yaml");
let folder: string | undefined;

beforeAll(() => {
  process.env.OMP_NUM_THREADS = "1";
});

afterEach(async () => {
  process.env.PATH = PATH;
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

/** Puts the stand-in on PATH, under the real one's name. */
async function withAxolotl(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "axolotl-"));
  const program = join(folder, "axolotl");
  const [python, script] = [join(ROOT, ".venv/bin/python"), join(ROOT, "test/fixtures/programs/axolotl.py")];
  await writeFile(program, `#!/bin/sh\nPYTHONPATH="${join(ROOT, "python")}" exec "${python}" "${script}" "$@"\n`);
  await chmod(program, 0o755);
  process.env.PATH = `${folder}${delimiter}${PATH}`;
}

describe("the configuration for Axolotl", () => {
  const inputs = {
    ...{ baseFolder: "/bases/gemma", loraTargets: String.raw`model\.layers\.\d+\.mlp\.(up|down)_proj` },
    ...{ trainFile: "/there/train.jsonl", validationFile: "/there/validation.jsonl" },
    ...{ outputFolder: "/there/output", preparedFolder: "/there/prepared" },
  };
  const given = {
    ...{
      rank: 16,
      alpha: 32,
      dropout: 0.05,
      learningRate: 5e-7,
      epochs: 2,
      batchSize: 8,
      warmupSteps: 5,
      maxTokens: 4096,
    },
    ...{ seed: 1, microBatchSize: 2, quantization: "nf4", optimizer: "adamw-8bit", gradientCheckpointing: true },
    ...{ packing: true, maxGradNorm: 0.1, adamBeta2: 0.995, tooLong: "drop" },
  };

  it("has a key for each setting, in the words of Axolotl 0.19", async () => {
    const text = axolotlConfig({ ...inputs, config: trainConfigSchema.parse(given) });
    if (process.env.UPDATE_GOLDEN === "1") {
      await mkdir(join(GOLDEN, ".."), { recursive: true });
      await writeFile(GOLDEN, text);
    }
    expect(text).toBe(await readFile(GOLDEN, "utf8"));
  });

  for (const [title, change] of Object.entries({
    "a step of no whole number of micro batches": { microBatchSize: 3 },
    "an alpha that is no whole number": { alpha: 0.5 },
  })) {
    it(`is refused for ${title}`, () => {
      const config = trainConfigSchema.parse({ ...given, ...change });
      expect(() => axolotlConfig({ ...inputs, config })).toThrowError(
        expect.objectContaining({ code: "UNSUPPORTED_SETTING" }),
      );
    });
  }
});

describe("training by Axolotl", () => {
  it("gives an adapter like those of our own trainer: files, probes, GGUF, its curve, and how many rows were too long", () =>
    withHome(async (home) => {
      await withAxolotl();
      const dataset = await writeDataset(home, await addTinyBase(home));
      const config = { ...CONFIG, maxTokens: 18, tooLong: "drop" as const };
      const trained = await train(home, dataset, { backend: "axolotl", name: "by-axolotl", config });
      const trainedTokens = (8 - 4) * 5 * CONFIG.epochs;
      expect(trained).toMatchObject({ droppedRows: 4, droppedValidationRows: 1, trainedTokens });
      expect(trained).toMatchObject({ backend: "axolotl", name: "by-axolotl" });
      expect(trained.files.map(({ path }) => path)).toEqual([
        ...["adapter.gguf", "adapter_config.json", "adapter_model.safetensors", "curve.svg", "probes.json"],
      ]);
      expect(trained.curve).toEqual([
        { step: 1, epoch: 1, loss: 2.5, validationLoss: null, learningRate: CONFIG.learningRate, gradNorm: 0.5 },
        { step: 2, epoch: 2, loss: 2, validationLoss: 2.25, learningRate: 0, gradNorm: 0.25 },
      ]);
      expect(trained.versions).toMatchObject({ axolotl: "0.19.0", peft: expect.any(String) });
      const { probes } = await readProbes(home, "by-axolotl");
      expect(probes).toHaveLength(2);
      for (const { baseLogprobs, adapterLogprobs } of probes) expect(adapterLogprobs).not.toEqual(baseLogprobs);
    }));

  it("tells its last words where it fails", () =>
    withHome(async (home) => {
      await withAxolotl();
      const dataset = await writeDataset(home, await addTinyBase(home));
      const failing = train(home, dataset, { backend: "axolotl", config: { ...CONFIG, seed: 666 } });
      await expect(failing).rejects.toMatchObject({
        ...{ boundary: "trainer", code: "TRAINER_DIED", message: expect.stringContaining("CUDA out of memory") },
      });
    }));

  it("leaves no process behind, whether it is told to end or its owner is killed", () =>
    withHome(async (home) => {
      const { datasetHash } = await writeDataset(home, await addTinyBase(home));
      folder = await mkdtemp(join(tmpdir(), "axolotl-"));
      // Its own process lives on where it alone is killed, as those of a real training do.
      await writeFile(join(folder, "axolotl"), `#!/bin/sh\ntail -f "$2" &\necho >"${folder}/started"\nwait\n`);
      await chmod(join(folder, "axolotl"), 0o755);
      const checkpointFolder = join(folder, "work");
      const job = {
        ...{ method: "sft", family: await familyOf("llama"), config: trainConfigSchema.parse(CONFIG) },
        ...{ datasetFolder: home.datasetFolder(datasetHash), baseFolder: home.baseFolder("tiny"), checkpointFolder },
        ...{ outFolder: folder, parentFolder: null, rehearsalFile: null, labelWeights: null, blockDevices: null },
        ...{ launch: "single" as const, plannedGpus: 0 },
      };
      const processesOfIt = () => processesNaming(`${checkpointFolder}/axolotl.yaml`);
      const started = async () => {
        while (!existsSync(`${folder}/started`)) await sleep(20);
        await rm(`${folder}/started`);
        expect((await processesOfIt()).length).toBeGreaterThan(1);
      };

      process.env.PATH = `${folder}${delimiter}${PATH}`;
      const ending = new AbortController();
      const training = axolotl.train({ ...job, signal: ending.signal, onProgress: () => {} });
      void started().then(() => ending.abort());
      await expect(training).rejects.toMatchObject({ code: "INTERRUPTED" });
      expect(await processesOfIt()).toEqual([]);

      const program = join(ROOT, "test/fixtures/programs/axolotl-owner.mjs");
      const owner = execa(process.execPath, [program, JSON.stringify(job)], { reject: false });
      await started();
      owner.kill("SIGKILL");
      await owner;
      await expect.poll(processesOfIt, { timeout: 10_000 }).toEqual([]);
    }));

  it("is refused before any work where it is not installed, or has no equal of a setting", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      const refused = (config: object) =>
        train(home, dataset, { backend: "axolotl", config: { ...CONFIG, ...config } });
      await expect(refused({})).rejects.toMatchObject({
        ...{ code: "NO_AXOLOTL", details: { fix: expect.stringContaining("pip install axolotl") } },
      });
      for (const config of [{ maxKl: 0.1 }, { patience: 2 }, { trains: "full" }]) {
        await expect(refused(config)).rejects.toMatchObject({ code: "UNSUPPORTED_SETTING" });
      }
      await expect(train(home, dataset, { backend: "axolotl", method: "dpo" })).rejects.toMatchObject({
        code: "UNKNOWN_METHOD",
      });
      expect(await readdir(join(home.path, "adapters")).catch(() => [])).toEqual([]);
    }));

  it("can be done elsewhere: configuration and rows are written, and nothing is trained", () =>
    withHome(async (home) => {
      const { datasetHash } = await writeDataset(home, await addTinyBase(home));
      const given = { home, dataset: datasetHash, base: "tiny", method: "sft", config: CONFIG };
      const target = join(home.path, "elsewhere");
      const { command } = await writeTrainConfig({ ...given, backend: "axolotl" }, target);
      expect(command).toBe(`axolotl train ${join(target, "axolotl.yaml")}`);
      expect((await readdir(target)).sort()).toEqual(["axolotl.yaml", "train.jsonl", "validation.jsonl"]);
      const rows = (await readFile(join(target, "train.jsonl"), "utf8")).trim().split("\n");
      expect(rows).toHaveLength(8);
      const { input_ids, attention_mask, labels } = JSON.parse(rows[0] ?? "");
      expect(attention_mask).toEqual(input_ids.map(() => 1));
      expect(labels).toEqual(input_ids.map((id: number, n: number) => (n >= input_ids.length - 5 ? id : -100)));
      await expect(writeTrainConfig({ ...given, backend: "peft" }, target)).rejects.toMatchObject({
        code: "NO_CONFIG_TO_WRITE",
      });
    }));
});

describe("a configuration that is written", () => {
  it("is refused for what no trainer elsewhere would be told of", () =>
    withHome(async (home) => {
      const { datasetHash: dataset } = await writeDataset(home, await addTinyBase(home), { validation: 0 });
      const general = join(home.path, "general.jsonl");
      await writeFile(general, JSON.stringify({ prompt: "hello", completion: "yes" }));
      const refusalOf = async (given: object) => {
        const asked = { home, dataset, base: "tiny", method: "sft", config: CONFIG, backend: "axolotl", ...given };
        const error = await writeTrainConfig(asked, join(home.path, "elsewhere")).catch((cause) => cause);
        return [error.code, error.details?.got];
      };
      const unsupported = "UNSUPPORTED_SETTING";
      expect(await refusalOf({ launch: "fsdp" })).toEqual([unsupported, "--launch fsdp"]);
      expect(await refusalOf({ from: "sql-v1" })).toEqual([unsupported, "--from"]);
      expect(await refusalOf({ rehearse: { file: general, fraction: 0.5 } })).toEqual([
        unsupported,
        expect.stringMatching(/^rehearsal /),
      ]);
      expect(await refusalOf({ config: { ...CONFIG, microBatchSize: 3 } })).toEqual(["BAD_SETTINGS", "--batch-size 4"]);
      expect(await refusalOf({ name: "sql-v1", out: "there", merge: true })).toEqual([
        "BAD_SETTINGS",
        "--name, --out, --merge",
      ]);
      expect(await readdir(home.path)).not.toContain("elsewhere");
    }));
});

describe("training by Unsloth", () => {
  it("is refused before any work where it is not installed", () =>
    withHome(async (home) => {
      const dataset = await writeDataset(home, await addTinyBase(home));
      await expect(train(home, dataset, { backend: "unsloth" })).rejects.toMatchObject({
        ...{ code: "NO_UNSLOTH", details: { fix: expect.stringContaining("pip install unsloth") } },
      });
      const packed = train(home, dataset, { backend: "unsloth", config: { ...CONFIG, packing: true } });
      await expect(packed).rejects.toMatchObject({ code: "UNSUPPORTED_SETTING" });
      expect(await readdir(join(home.path, "adapters")).catch(() => [])).toEqual([]);
    }));
});
