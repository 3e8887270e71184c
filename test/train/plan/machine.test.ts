import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, describe, expect, it } from "vitest";
import { trainConfigSchema } from "../../../src/records/adapter-manifest.ts";
import peft from "../../../src/train/backends/peft.ts";
import { processorStorageBytes, readGpus, readProcessor } from "../../../src/train/plan/devices.ts";
import { tokenLengths } from "../../../src/train/plan/lengths.ts";
import { checkFit, preflight } from "../../../src/train/plan/preflight.ts";
import { withNvidiaSmi } from "../../fixtures/nvidia-smi.ts";
import { rowLengths } from "./row-lengths.ts";
import { SHAPES } from "./shapes.ts";

const MIB = 2 ** 20;
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe("the GPUs of this machine", () => {
  it("are told with their free memory and who holds the rest", async () => {
    const told = {
      gpus: "GPU-a, NVIDIA L4, 23034, 1885\\nGPU-b, NVIDIA L4, 23034, 22563\\n",
      apps: "GPU-a, 4711, /usr/bin/python3,-O, 21149\\nGPU-b, 12, [Not Found], [N/A]\\n",
    };
    expect(await withNvidiaSmi(told, () => readGpus())).toEqual([
      {
        ...{ kind: "gpu", name: "NVIDIA L4", totalBytes: 23_034 * MIB, freeBytes: 1885 * MIB },
        holders: [{ pid: 4711, name: "/usr/bin/python3,-O", usedBytes: 21_149 * MIB }],
      },
      {
        ...{ kind: "gpu", name: "NVIDIA L4", totalBytes: 23_034 * MIB, freeBytes: 22_563 * MIB },
        holders: [{ pid: 12, name: "[Not Found]", usedBytes: 0 }],
      },
    ]);
  });

  it("are those that CUDA_VISIBLE_DEVICES leaves, in its order", async () => {
    const gpus = ["a", "b", "c"].map((id) => `GPU-${id}, NVIDIA L4, 23034, 22563\\n`).join("");
    const pids = (visible?: string) =>
      withNvidiaSmi({ gpus, apps: "GPU-c, 7, python3, 100\\n" }, async () =>
        (await readGpus(visible)).map(({ holders }) => holders[0]?.pid ?? null),
      );
    expect(await pids()).toEqual([null, null, 7]);
    expect(await pids("2,0")).toEqual([7, null]);
    expect(await pids(" GPU-c ")).toEqual([7]);
    expect(await pids("0,9,2")).toEqual([null]);
    for (const none of ["", "-1", "NoDevFiles"]) expect(await pids(none)).toEqual([]);
  });

  it("are none where nvidia-smi finds no driver", async () => {
    expect(await withNvidiaSmi({ gpus: "", exit: 9 }, () => readGpus())).toEqual([]);
  });

  it.each([
    ["what cannot be read", "Unable to determine the device handle\\n", undefined],
    ["no memory, as of a card that shares the processor's", "GPU-a, NVIDIA GB10, [N/A], [N/A]\\n", undefined],
    ["none that is named, as of an instance of one", "GPU-a, NVIDIA H100, 81559, 81000\\n", "MIG-6e7f"],
  ])("are refused where nvidia-smi tells %s", async (_, gpus, visible) => {
    const reading = withNvidiaSmi({ gpus }, () => readGpus(visible));
    await expect(reading).rejects.toMatchObject({
      ...{ code: "NVIDIA_SMI_FAILED", details: { fix: expect.stringContaining("--unplanned") } },
    });
  });
});

it("tells how much memory a process may take here", () => {
  const { kind, freeBytes, totalBytes } = readProcessor();
  expect(kind).toBe("cpu");
  expect(freeBytes).toBeGreaterThan(0);
  expect(freeBytes).toBeLessThanOrEqual(totalBytes);
});

describe("what is planned for the machine itself", () => {
  const config = trainConfigSchema.parse({
    ...{ rank: 4, alpha: 8, dropout: 0, learningRate: 0.01, epochs: 1, batchSize: 4, warmupSteps: 1, maxTokens: 64 },
    seed: 1,
  });
  const lengths = rowLengths({ rows: 1, tokens: 2, max: 2, trained: 1 });
  const planned = (given: object) =>
    preflight({
      ...{
        base: "b",
        method: "sft",
        launch: "single",
        supports: peft.supports,
        shape: SHAPES.llama2_7b,
        config,
        lengths,
      },
      ...{ gpus: "cpu", ...given },
    });

  it("is the processor's own number type, beside 4-bit weights too", async () => {
    const plain = await planned({});
    const packed = await planned({ config: { ...config, quantization: "nf4" } });
    const bytes = await processorStorageBytes();
    expect([plain.setting.storageBytes, packed.setting.storageBytes]).toEqual([bytes, bytes]);
    expect((await planned({ gpus: "1xL4" })).setting.storageBytes).toBe(2);
  });

  it("is refused where several processes would share one GPU or none", async () => {
    for (const gpus of ["cpu", "1xL4"]) {
      await expect(planned({ launch: "fsdp", gpus })).rejects.toMatchObject({ code: "NO_GPUS" });
    }
    expect((await planned({ launch: "fsdp", gpus: "2xL4" })).setting.launch).toBe("fsdp");
  });
});

it("refuses several processes that read more than main memory has, though each card has room", async () => {
  const gpus = Array.from({ length: 64 }, (_, n) => `GPU-${n}, NVIDIA H100, 81559, 81000\\n`).join("");
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  delete process.env.CUDA_VISIBLE_DEVICES;
  const config = trainConfigSchema.parse({
    ...{ rank: 4, alpha: 8, dropout: 0, learningRate: 0.01, epochs: 1, batchSize: 64, warmupSteps: 1, maxTokens: 64 },
    seed: 1,
  });
  const lengths = rowLengths({ rows: 64, tokens: 128, max: 2, trained: 1 });
  const asked = {
    base: "b",
    method: "sft",
    launch: "fsdp",
    supports: peft.supports,
    shape: SHAPES.gemma4_31b,
  } as const;
  try {
    const refused = withNvidiaSmi({ gpus }, () => checkFit({ ...asked, config, lengths }));
    await expect(refused).rejects.toMatchObject({
      ...{ code: "DOES_NOT_FIT", details: { expected: expect.stringMatching(/ GiB free for 64 processes$/) } },
    });
  } finally {
    if (visible !== undefined) process.env.CUDA_VISIBLE_DEVICES = visible;
  }
});

describe("the lengths of a dataset's rows", () => {
  async function dataset(columns: string, rows: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "lengths-"));
    folders.push(folder);
    await mkdir(join(folder, "tokens"));
    await write(join(folder, "tokens/train.parquet"), columns, rows);
    return folder;
  }

  async function write(path: string, columns: string, rows: string): Promise<void> {
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`CREATE TABLE rows (${columns})`);
    await connection.run(`INSERT INTO rows ${rows}`);
    await connection.run(`COPY rows TO '${path}' (FORMAT parquet)`);
    connection.closeSync();
  }

  const hundred = "SELECT 'r' || n, range(n), [1, 1, 0] FROM range(1, 101) t(n)";

  it("are measured as they are, and without those that are dropped", async () => {
    const folder = await dataset("row_id VARCHAR, ids INTEGER[], mask UTINYINT[]", hundred);
    const all = await tokenLengths(folder, { maxTokens: 90, tooLong: "refuse" });
    expect(all).toEqual({
      ...{ rows: 100, tokens: 5050, p50: 50, p99: 99, max: 100, others: 0, trained: 2 },
      ...{ longer: { train: 10, validation: 0, rehearsal: 0 }, validationRows: 0, rehearsed: null },
    });
    const short = await tokenLengths(folder, { maxTokens: 90, tooLong: "drop" });
    expect(short).toMatchObject({ rows: 90, max: 90, longer: { train: 10 } });
    await expect(tokenLengths(folder, { maxTokens: 0, tooLong: "drop" })).rejects.toMatchObject({
      code: "NO_TRAIN_ROWS",
    });
  });

  it("are also those of what is validated on and rehearsed", async () => {
    const columns = "row_id VARCHAR, ids INTEGER[], mask UTINYINT[]";
    const folder = await dataset(columns, hundred);
    const limit = { maxTokens: 1000, tooLong: "refuse" as const };
    await write(join(folder, "tokens/validation.parquet"), columns, "VALUES ('v', range(130), [1])");
    expect(await tokenLengths(folder, limit)).toMatchObject({ rows: 100, tokens: 5050, max: 100, others: 130 });
    expect(await tokenLengths(folder, { maxTokens: 110, tooLong: "drop" })).toMatchObject({
      ...{ others: 0, validationRows: 0, longer: { train: 0, validation: 1, rehearsal: 0 } },
    });
    const file = join(folder, "rehearsal.parquet");
    await write(file, columns, "SELECT 'g' || n, range(200), [1, 1, 1] FROM range(60) t(n)");
    expect(await tokenLengths(folder, limit, { file, fraction: 0.2 })).toMatchObject({
      ...{
        rows: 125,
        tokens: 5050 + 25 * 200,
        p50: 50,
        max: 100,
        others: 200,
        trained: 3,
        rehearsed: { wanted: 25, rows: 60 },
      },
    });
  });

  it("of pairs are those of the longer answer", async () => {
    const columns =
      "row_id VARCHAR, chosen_ids INTEGER[], chosen_mask UTINYINT[], rejected_ids INTEGER[], rejected_mask UTINYINT[]";
    const folder = await dataset(columns, "VALUES ('a', [1, 2, 3], [0, 1, 1], [1, 2, 3, 4, 5], [0, 1, 1, 1, 1])");
    expect(await tokenLengths(folder, { maxTokens: 90, tooLong: "refuse" })).toMatchObject({ max: 5, trained: 4 });
  });
});
