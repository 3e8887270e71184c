/** A home with the tiny base and a dataset of made-up rows, as export would leave it. */
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { hashFile, hashJson, ZERO_HASH } from "../../src/foundation/hashing.ts";
import { random } from "../../src/foundation/random.ts";
import { type TrainConfig, trainConfigSchema } from "../../src/records/adapter-manifest.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { type DatasetManifest, datasetManifestSchema } from "../../src/records/dataset-manifest.ts";
import type { Tier, Tokens } from "../../src/records/selection.ts";
import { addBase } from "../../src/serve/add-base.ts";
import type { Home } from "../../src/store/home.ts";
import { createTokenTable } from "../../src/store/token-table.ts";
import { type TrainOptions, type TrainProgress, trainAdapter } from "../../src/train/index.ts";
import { tinyBase } from "../fixtures/tiny-base.ts";

/** As options of the command have them. */
export const SETTINGS = {
  ...{ rank: 4, alpha: 8, dropout: 0, learningRate: 0.01, epochs: 2, batchSize: 4, warmupSteps: 1, maxTokens: 64 },
  seed: 1,
};

export const CONFIG: TrainConfig = trainConfigSchema.parse(SETTINGS);

export async function addTinyBase(home: Home): Promise<BaseManifest> {
  return addBase(home, { name: "tiny", ...(await tinyBase()), convert: async () => {}, clock: systemClock });
}

export async function writeDataset(
  home: Home,
  base: { [Key in "name" | "tokenizerHash" | "templateHash"]: BaseManifest[Key] | null },
  {
    train = 8,
    validation = 2,
    tier = "demonstrations",
    role = "worker",
    columns = tier,
    good = Math.ceil(train / 2),
  }: {
    train?: number;
    validation?: number;
    tier?: Tier;
    role?: string;
    /** Whose columns the tokens have. */
    columns?: Tier;
    good?: number;
  } = {},
): Promise<DatasetManifest> {
  const { name, tokenizerHash, templateHash } = base;
  const draftFolder = join(home.path, "datasets", "draft");
  await mkdir(join(draftFolder, "tokens"), { recursive: true });
  const files = [];
  for (const [part, count] of Object.entries({ train, validation })) {
    const path = `tokens/${part}.parquet`;
    await writeRows(join(draftFolder, path), sampleRows(part, count, columns), columns);
    files.push({ path, hash: await hashFile(join(draftFolder, path)), rows: count });
  }
  const draft = {
    ...{ tier, skills: ["sql"], role, format: "jsonl", filter: "eval_passed = true", base: name },
    ...{ tokenizerHash, templateHash, seed: 1, refusals: [], files, codeVersion: "0" },
    settings: { tips: "drop", target: "answer", maxPerItem: 2, maxTokens: 64 },
    inputs: { runs: [], ledgerHead: ZERO_HASH },
    labels: tier === "judged" ? { good, bad: train - good, goodWeight: 1.25, badWeight: 1 } : null,
    counts: {
      ...{ examples: train + validation, trainRows: train, validationRows: validation },
      ...{ trainTokens: 100, trainedTokens: 50, items: train, families: ["shop"] },
    },
  };
  const manifest = datasetManifestSchema.parse({ ...draft, datasetHash: hashJson(draft) });
  await writeJsonAtomic(join(draftFolder, "manifest.json"), manifest);
  await rename(draftFolder, home.datasetFolder(manifest.datasetHash));
  return manifest;
}

interface SampleRow {
  id: string;
  tokens: Tokens[];
  label: boolean;
}

function sampleRows(part: string, count: number, tier: Tier): SampleRow[] {
  const draw = random(1, part);
  return Array.from({ length: count }, (_, n) => {
    const prompt = Array.from({ length: draw.integer(8, 20) }, () => draw.integer(3, 511));
    const tokens = Array.from({ length: tier === "preference-pairs" ? 2 : 1 }, () => {
      const ids = [...prompt, ...Array.from({ length: 5 }, () => draw.integer(3, 511))];
      return { ids, mask: ids.map((_, at): 0 | 1 => (at >= ids.length - 5 ? 1 : 0)) };
    });
    return { id: `${part}-${n}`, tokens, label: n % 2 === 0 };
  });
}

async function writeRows(path: string, rows: readonly SampleRow[], tier: Tier): Promise<void> {
  const table = createTokenTable(path, tier);
  for (const { id, tokens, label } of rows) await table.add(id, tokens, label);
  await table.finish();
}

/** Trains with settings for a test; `steps` gets each step that was trained. */
export function train(home: Home, dataset: DatasetManifest, given: Partial<TrainOptions> & { steps?: number[] } = {}) {
  const { steps = [], onProgress, ...rest } = given;
  return trainAdapter({
    home,
    dataset: dataset.datasetHash,
    base: "tiny",
    method: "sft",
    config: CONFIG,
    clock: systemClock,
    signal: new AbortController().signal,
    ...rest,
    onProgress(progress: TrainProgress) {
      if (progress.type === "step") steps.push(progress.step);
      onProgress?.(progress);
    },
  });
}
