/**
 * Whether a dataset can be trained on by a method for a base: told from its manifest and its files, before any work.
 */
import { join } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { hashFile, shortHash } from "../foundation/hashing.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { openDatabase, rowsOf, sqlText } from "../store/duckdb.ts";
import type { TrainMethod } from "./method.ts";
import { methodsFor } from "./methods.ts";

const TRAIN_TOKENS = "tokens/train.parquet";

export interface TrainedBy {
  /** The dataset's folder. */
  where: string;
  base: BaseManifest;
  /** The method's name and what it declares. */
  method: TrainMethod & { name: string };
}

/**
 * Throws: `DATASET_OF_ANOTHER_TIER`, `DATASET_WITHOUT_TOKENS`, `DATASET_OF_ANOTHER_BASE`, `NO_TRAIN_ROWS`,
 * `ONE_LABEL_ALONE`, `DATASET_CHANGED`, `DATASET_WITHOUT_COLUMNS`.
 */
export async function checkDataset(dataset: DatasetManifest, by: TrainedBy): Promise<void> {
  const { where, method } = by;
  await checkTier(dataset, by);
  checkBase(dataset, by);
  if (dataset.counts.trainRows === 0) {
    throw new Refusal({
      code: "NO_TRAIN_ROWS",
      message: "The dataset has no train rows.",
      where,
      fix: "export with a wider --filter, or run more items of the train split",
    });
  }
  if (method.needsBothLabels) checkLabels(dataset, by);
  await checkFiles(dataset, where);
  await checkColumns(by);
}

async function checkTier({ tier }: DatasetManifest, { method, where }: TrainedBy): Promise<void> {
  if (tier === method.tier) return;
  const others = await methodsFor(tier);
  const byAnother =
    others.length > 0
      ? `train on this one with --method ${others.join(" or ")}`
      : "train on this one's own files with a trainer that its README.md names";
  throw new Refusal({
    code: "DATASET_OF_ANOTHER_TIER",
    message: `The method ${method.name} does not learn from rows of this kind.`,
    expected: `the tier ${method.tier}`,
    got: tier,
    where,
    fix: `export with --tier ${method.tier}, or ${byAnother}`,
  });
}

function checkBase(dataset: DatasetManifest, { base, where }: TrainedBy): void {
  const { tokenizerHash, templateHash } = dataset;
  const isTokenised = dataset.files.some(({ path }) => path.startsWith("tokens/"));
  if (tokenizerHash === null || templateHash === null || !isTokenised) {
    throw new Refusal({
      code: "DATASET_WITHOUT_TOKENS",
      message: "The dataset has no token ids and masks, which the trainer trains on.",
      expected: TRAIN_TOKENS,
      got: "texts alone",
      where,
      fix: `export it again with --base ${base.name}`,
    });
  }
  const hashes = { tokenizerHash, templateHash };
  const differs = (["tokenizerHash", "templateHash"] as const).filter((key) => hashes[key] !== base[key]);
  if (differs.length === 0) return;
  throw new Refusal({
    code: "DATASET_OF_ANOTHER_BASE",
    message: `The dataset's tokens were made for another base than "${base.name}".`,
    expected: differs.map((key) => `${key} ${shortHash(base[key])}`).join(", "),
    got: `${differs.map((key) => `${key} ${shortHash(hashes[key])}`).join(", ")} (of the base "${dataset.base}")`,
    where,
    fix: `train on "${dataset.base}", or export again with --base ${base.name}`,
  });
}

/** From one kind alone it would be learned to say everything, or nothing, more often. */
function checkLabels({ labels }: DatasetManifest, { method, where }: TrainedBy): void {
  if (labels === null || (labels.good > 0 && labels.bad > 0)) return;
  const { good, bad } = labels;
  throw new Refusal({
    code: "ONE_LABEL_ALONE",
    message: `The method ${method.name} learns from the difference of good and bad answers.`,
    expected: "train rows of both labels",
    got: `${good} good, ${bad} bad`,
    where,
    fix: good === 0 ? "run more items of the train split" : "export with a wider --filter, or train by --method sft",
  });
}

async function checkFiles(dataset: DatasetManifest, where: string): Promise<void> {
  for (const { path, hash } of dataset.files.filter(({ path }) => path.startsWith("tokens/"))) {
    const got = await hashFile(join(where, path)).catch(() => "no such file");
    if (got === hash) continue;
    throw new Refusal({
      code: "DATASET_CHANGED",
      message: "A file of the dataset is not the one that was exported.",
      ...{ expected: hash, got, where: join(where, path) },
      fix: "remove the dataset's folder and export it again: the same inputs give the same dataset",
    });
  }
}

/** A dataset of an older version may lack a column that its tier has today. */
async function checkColumns({ where, method, base }: TrainedBy): Promise<void> {
  const path = join(where, TRAIN_TOKENS);
  const database = await openDatabase({ memoryLimitMb: 128, threads: 1, spillFolder: `${path}.spill` });
  try {
    const described = await rowsOf(database.stream(`DESCRIBE SELECT * FROM read_parquet(${sqlText(path)})`));
    const names = described.map((column) => String(column.column_name));
    const missing = method.columns.filter((column) => !names.includes(column));
    if (missing.length === 0) return;
    throw new Refusal({
      code: "DATASET_WITHOUT_COLUMNS",
      message: "The dataset's tokens lack what the method reads.",
      ...{ expected: method.columns.join(", "), got: `${names.join(", ")}: no ${missing.join(", ")}`, where: path },
      fix: `export it again with --tier ${method.tier} --base ${base.name}`,
    });
  } finally {
    database.close();
  }
}
