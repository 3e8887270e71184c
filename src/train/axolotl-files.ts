/**
 * The files that Axolotl works with: the rows it is given, as JSONL of ids and labels, and what it leaves: an adapter, and
 * the log of its trainer as a curve. Reads and writes them; `axolotl-config.ts` has the configuration.
 */
import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../foundation/errors.ts";
import { type CurvePoint, curvePointSchema } from "../records/adapter-manifest.ts";
import { openDatabase, sqlText } from "../store/duckdb.ts";
import { type AxolotlInputs, axolotlConfig } from "./axolotl-config.ts";
import type { TrainJob } from "./backend.ts";

const MEMORY_LIMIT_MB = 512;
const ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors"];

/** Lines of `trainer_state.json`, which every trainer of transformers keeps in its checkpoints. */
const stateSchema = z.object({
  log_history: z.array(
    z.looseObject({
      step: z.int().min(0),
      epoch: z.number().optional(),
      loss: z.number().optional(),
      eval_loss: z.number().optional(),
      learning_rate: z.number().optional(),
      grad_norm: z.number().optional(),
    }),
  ),
});

/**
 * Writes `axolotl.yaml`, `train.jsonl` and, where there are such rows, `validation.jsonl` into a folder; returns the path of
 * the first. Throws: as `axolotlConfig`.
 */
export async function writeAxolotlInputs(
  { datasetFolder, baseFolder, family, config }: Pick<TrainJob, "datasetFolder" | "baseFolder" | "family" | "config">,
  folder: string,
): Promise<string> {
  const inputs: AxolotlInputs = {
    ...{ baseFolder, config, loraTargets: family.loraTargets },
    trainFile: join(folder, "train.jsonl"),
    validationFile: (await hasRows(datasetFolder, "validation")) ? join(folder, "validation.jsonl") : null,
    outputFolder: outputOf(folder),
    preparedFolder: join(folder, "prepared"),
  };
  const text = axolotlConfig(inputs);
  await writeRows(datasetFolder, "train", inputs.trainFile);
  if (inputs.validationFile !== null) await writeRows(datasetFolder, "validation", inputs.validationFile);
  const path = join(folder, "axolotl.yaml");
  await writeFile(path, text);
  return path;
}

/** Copies the adapter that Axolotl left in its folder. Throws: a failure of the boundary `trainer`, `NO_ADAPTER`. */
export async function takeAdapter(folder: string, outFolder: string): Promise<void> {
  for (const name of ADAPTER_FILES) {
    try {
      await copyFile(join(outputOf(folder), name), join(outFolder, name));
    } catch (cause) {
      const message = `Axolotl ended well but left no ${name} in ${outputOf(folder)}.`;
      throw new Failure({ boundary: "trainer", code: "NO_ADAPTER", message, cause });
    }
  }
}

/** Reads the curve out of the newest `trainer_state.json`; empty where there is none. */
export async function readCurve(folder: string): Promise<CurvePoint[]> {
  const output = outputOf(folder);
  const names = await readdir(output).catch(() => []);
  const steps = names.flatMap((name) => /^checkpoint-(\d{1,9})$/.exec(name)?.[1] ?? []).map(Number);
  const newest = steps.length > 0 ? `checkpoint-${Math.max(...steps)}` : ".";
  const text = await readFile(join(output, newest, "trainer_state.json"), "utf8").catch(() => null);
  if (text === null) return [];
  const { log_history } = stateSchema.parse(JSON.parse(text));
  const validated = new Map(
    log_history.flatMap(({ step, eval_loss }) => (eval_loss === undefined ? [] : [[step, eval_loss]])),
  );
  const points = log_history
    .filter(({ loss }) => loss !== undefined)
    .map(({ step, epoch, loss, learning_rate, grad_norm }) => ({
      ...{ step, epoch: epoch ?? 0, loss: loss ?? null, learningRate: learning_rate ?? null },
      validationLoss: validated.get(step) ?? null,
      ...(grad_norm !== undefined && { gradNorm: grad_norm }),
    }));
  return z.array(curvePointSchema).parse(points);
}

function outputOf(folder: string): string {
  return join(folder, "output");
}

async function hasRows(datasetFolder: string, part: string): Promise<boolean> {
  const path = join(datasetFolder, "tokens", `${part}.parquet`);
  if ((await stat(path).catch(() => null)) === null) return false;
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB, threads: 1, spillFolder: "" });
  try {
    const { batches } = await database.stream(`SELECT 1 AS found FROM read_parquet(${sqlText(path)}) LIMIT 1`);
    for await (const batch of batches) if (batch.length > 0) return true;
    return false;
  } finally {
    database.close();
  }
}

/** The columns that Axolotl looks for, and no others; a label is -100 where no loss lies. */
async function writeRows(datasetFolder: string, part: string, target: string): Promise<void> {
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB, threads: 1, spillFolder: "" });
  try {
    const table = `read_parquet(${sqlText(join(datasetFolder, "tokens", `${part}.parquet`))})`;
    await database.run(`
      COPY (SELECT ids AS input_ids, list_transform(ids, lambda id: 1) AS attention_mask,
                   list_transform(list_zip(ids, mask), lambda pair: CASE WHEN pair[2] = 0 THEN -100 ELSE pair[1] END) AS labels
            FROM ${table}) TO ${sqlText(target)} (FORMAT json)`);
  } finally {
    database.close();
  }
}
