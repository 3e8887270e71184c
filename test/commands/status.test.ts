/**
 * `tracemill status` as a user types it.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { systemClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { withHome, writeSampleRun } from "../store/sample-run.ts";

const hash = hashText("something");
const base: BaseManifest = {
  name: "tiny",
  ...{ baseHash: hash, weightsHash: hash, tokenizerHash: hash, templateHash: hash },
  architecture: "llama",
  contextTokens: 512,
  hfFolder: "hf",
  gguf: null,
  files: [],
  licence: null,
  source: "test",
};

async function addDataset(home: Home, datasetHash: Hash): Promise<void> {
  const manifest: DatasetManifest = {
    datasetHash,
    skills: ["sql"],
    role: "worker",
    format: "jsonl",
    filter: "eval_passed=true",
    settings: { tips: "drop", target: "answer", maxPerItem: 2, maxTokens: 512 },
    base: "tiny",
    tokenizerHash: hash,
    templateHash: hash,
    inputs: { runs: [], ledgerHead: hash },
    seed: 1,
    counts: {
      examples: 1,
      trainRows: 1,
      validationRows: 0,
      trainTokens: 1,
      trainedTokens: 1,
      items: 1,
      families: ["a"],
    },
    refusals: [],
    files: [],
    codeVersion: "0.1.0",
  };
  await mkdir(home.datasetFolder(datasetHash), { recursive: true });
  await writeJsonAtomic(join(home.datasetFolder(datasetHash), "manifest.json"), manifest);
  appendLedger(home, { type: "dataset_registered", data: { datasetHash } }, systemClock);
}

test("status lists datasets oldest first and proposes to train on the newest, whatever their hashes are", () =>
  withHome(async (home) => {
    await writeBaseManifest(home, base);
    await writeSampleRun(home, { items: 1 });
    const hashes = ["f", "1", "8", "3"].map((digit) => digit.repeat(64) as Hash);
    for (const datasetHash of hashes) await addDataset(home, datasetHash);
    const program = join(PACKAGE_FOLDER, "bin", "tracemill.js");
    const { stdout } = await execa(process.execPath, [program, "status", "--json", "--home", home.path]);
    const { datasets, next } = JSON.parse(stdout) as { datasets: { datasetHash: Hash }[]; next: { command: string } };
    expect(datasets.map(({ datasetHash }) => datasetHash)).toEqual(hashes);
    expect(next.command).toBe("tracemill train --dataset 333333333333 --base tiny");
  }));
