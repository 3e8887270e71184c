import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import { type AdapterManifest, trainConfigSchema } from "../../src/records/adapter-manifest.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import {
  listAdapters,
  listBases,
  listDatasets,
  readAdapterManifest,
  readBaseManifest,
  readDatasetManifest,
  readPlan,
  writeBaseManifest,
} from "../../src/store/manifests.ts";
import { withHome } from "./sample-run.ts";

const hash = (start: string) => start.padEnd(64, "0") as Hash;
const refusal = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

const base: BaseManifest = {
  name: "smollm2",
  baseHash: hash("b"),
  weightsHash: hash("c"),
  tokenizerHash: hash("d"),
  templateHash: hash("e"),
  architecture: "llama",
  contextTokens: 8192,
  hfFolder: "hf",
  gguf: null,
  files: [],
  licence: "apache-2.0",
  source: "test",
};

function writeAdapter(home: Home, adapterHash: Hash, name: string | null): void {
  const manifest: AdapterManifest = {
    adapterHash,
    name,
    base: "smollm2",
    baseHash: hash("b"),
    tokenizerHash: hash("d"),
    templateHash: hash("e"),
    datasetHash: hashText("dataset"),
    parent: null,
    skills: ["sql"],
    role: "worker",
    method: "sft",
    backend: "peft",
    config: trainConfigSchema.parse({
      rank: 8,
      alpha: 16,
      dropout: 0,
      learningRate: 1e-3,
      epochs: 1,
      batchSize: 1,
      warmupSteps: 0,
      maxTokens: 512,
      seed: 1,
    }),
    versions: {},
    curve: [],
    trainedTokens: 0,
    durationMs: 0,
    files: [],
  };
  mkdirSync(home.adapterFolder(adapterHash), { recursive: true });
  writeFileSync(join(home.adapterFolder(adapterHash), "manifest.json"), JSON.stringify(manifest));
}

test("a base's manifest reads back as it was written", () =>
  withHome(async (home) => {
    expect(await listBases(home)).toEqual([]);
    await writeBaseManifest(home, base);
    expect(await readBaseManifest(home, "smollm2")).toEqual(base);
    expect(await listBases(home)).toEqual([base]);
  }));

test("an unknown name is refused with those that there are", () =>
  withHome(async (home) => {
    await writeBaseManifest(home, base);
    const fix = 'did you mean "smollm2"?';
    await expect(readBaseManifest(home, "smolm2")).rejects.toThrow(refusal("UNKNOWN_BASE", { fix }));
    await expect(readBaseManifest(home, "../bases/smollm2")).rejects.toThrow(refusal("UNKNOWN_BASE"));
    await expect(readDatasetManifest(home, "abcd")).rejects.toThrow(refusal("UNKNOWN_DATASET"));
    await expect(readPlan(home, "abcd")).rejects.toThrow(refusal("UNKNOWN_COMPARISON"));
    await expect(readPlan(home, "")).rejects.toThrow(refusal("UNKNOWN_COMPARISON"));
    expect(await listDatasets(home)).toEqual([]);
  }));

test("an adapter is found by its name, its hash, or a prefix that only it has", () =>
  withHome(async (home) => {
    writeAdapter(home, hash("abcd1"), "sql-v1");
    writeAdapter(home, hash("abcd2"), null);
    expect((await listAdapters(home)).map(({ adapterHash }) => adapterHash)).toEqual([hash("abcd1"), hash("abcd2")]);
    for (const name of ["sql-v1", hash("abcd1"), "abcd1"]) {
      expect((await readAdapterManifest(home, name)).adapterHash).toBe(hash("abcd1"));
    }
    await expect(readAdapterManifest(home, "abcd")).rejects.toThrow(refusal("AMBIGUOUS_ADAPTER"));
    await expect(readAdapterManifest(home, "abc")).rejects.toThrow(refusal("UNKNOWN_ADAPTER"));
    await expect(readAdapterManifest(home, "sql-v2")).rejects.toThrow(
      refusal("UNKNOWN_ADAPTER", { fix: 'did you mean "sql-v1"?' }),
    );
  }));

test("a folder that is still being written is not there yet; a manifest that is no manifest is refused", () =>
  withHome(async (home) => {
    mkdirSync(home.adapterFolder("half"), { recursive: true });
    writeAdapter(home, `${hash("abcd")}.tmp-1` as Hash, null);
    expect(await listAdapters(home)).toEqual([]);
    mkdirSync(home.adapterFolder(hash("ffff")), { recursive: true });
    const path = join(home.adapterFolder(hash("ffff")), "manifest.json");
    for (const content of ["{", "{}", ""]) {
      writeFileSync(path, content);
      await expect(listAdapters(home)).rejects.toThrow(refusal("BAD_MANIFEST", { where: path }));
    }
  }));

test("adapters are listed in the order of their registration, and one that was never registered first", () =>
  withHome(async (home) => {
    const [first, second, unregistered] = [hash("f"), hash("a"), hash("c")];
    for (const adapterHash of [first, second, unregistered]) writeAdapter(home, adapterHash, null);
    for (const adapterHash of [first, second]) {
      appendLedger(home, { type: "adapter_registered", data: { adapterHash, name: null } }, systemClock);
    }
    const listed = await listAdapters(home);
    expect(listed.map(({ adapterHash }) => adapterHash)).toEqual([unregistered, first, second]);
  }));
