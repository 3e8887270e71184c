/**
 * `tracemill train`: a LoRA of a base, trained on a dataset.
 */
import type { z } from "zod";
import { duration, type Progress, startProgress, tellStage } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import {
  planAdapter,
  type TrainPlan,
  type TrainProgress,
  trainAdapter,
  type WrittenConfig,
  writeTrainConfig,
} from "../train/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { refuseTainted } from "./taint.ts";
import { trainInput } from "./train-input.ts";
import { planText } from "./train-plan.ts";

/**
 * Trains an adapter with a progress bar and returns its manifest; a killed training goes on where it was.
 * Throws: `TAINTED_DATASET`, and as `trainAdapter`.
 */
export async function trainOn(given: z.input<typeof trainInput>, context: Context): Promise<AdapterManifest> {
  const { home, clock, signal } = context;
  const { dataset, base, method, backend, name, unplanned: isUnplanned, ...settings } = trainInput.parse(given);
  await refuseTainted(home, dataset);
  const watch = watched(context);
  const config = configOf(settings);
  const options = { home, dataset, base, method, backend, config, isUnplanned, ...(name !== undefined && { name }) };
  try {
    return await trainAdapter({ ...options, clock, signal, onProgress: watch.onProgress });
  } finally {
    watch.end();
  }
}

/** Plans the same training. Throws: as `planAdapter`. */
async function planOf(given: z.input<typeof trainInput>, { home }: Context): Promise<TrainPlan> {
  const { dataset, base, method, gpus, ...settings } = trainInput.parse(given);
  return planAdapter({ home, dataset, base, method, config: configOf(settings), ...(gpus !== undefined && { gpus }) });
}

/** Writes the backend's own configuration. Throws: as `writeTrainConfig`. */
async function writeFor(given: z.output<typeof trainInput>, folder: string, { home }: Context): Promise<WrittenConfig> {
  const { dataset, base, method, backend, ...settings } = given;
  await refuseTainted(home, dataset);
  return writeTrainConfig({ home, dataset, base, method, backend, config: configOf(settings) }, folder);
}

/** The settings of a training among the options: keys that were not given are the family's to choose. */
function configOf<Settings extends { learningRate?: number | undefined }>({ learningRate, ...rest }: Settings) {
  return { ...rest, ...(learningRate !== undefined && { learningRate }) };
}

function watched(context: Context) {
  const { clock, stderr: stream, isJson } = context;
  let progress: Progress | undefined;
  let first = 1;
  let note: string | undefined;
  return {
    onProgress(event: TrainProgress): void {
      if (event.type === "progress") {
        if (progress === undefined) tellStage(event.stage, "train", context);
        return;
      }
      if (progress === undefined) {
        first = event.step;
        const title = first === 1 ? "train" : `train from step ${first}`;
        const total = event.steps - first + 1;
        progress = startProgress({ title, total, clock, stream, isJson, jsonIntervalMs: 0 });
      }
      const { step, loss, tokensPerSecond } = event;
      note = `loss ${loss.toFixed(4)}, ${Math.round(tokensPerSecond)} tokens/s`;
      progress.update(step - first + 1, note, { figures: { step, loss, tokensPerSecond } });
    },
    end(): void {
      progress?.finish(note);
    },
  };
}

export default defineCommand({
  summary: "Train a LoRA of a base on a dataset.",
  details: `A training that was stopped or killed goes on from its last checkpoint when the same command is given again.
It is refused before anything is loaded where it would not fit; --plan tells more, and ends with 2 where it does not fit.
Example: tracemill train --dataset 3f2a --base smollm2 --method sft --name sql-v1
Example: tracemill train --dataset 3f2a --base gemma-4-31b --quantize nf4 --plan --gpus 4xL4`,
  input: trainInput as z.ZodType<z.output<typeof trainInput>>,
  run: (given: z.output<typeof trainInput>, context): Promise<AdapterManifest | TrainPlan | WrittenConfig> => {
    if (given.plan) return planOf(given, context);
    return given.writeConfig === undefined ? trainOn(given, context) : writeFor(given, given.writeConfig, context);
  },
  print(result) {
    if ("fits" in result) return planText(result);
    return "command" in result ? `Written into ${result.folder}. Train with: ${result.command}` : printed(result);
  },
  exitCode: (result) => ("fits" in result && !result.fits ? 2 : 0),
});

function printed(adapter: AdapterManifest): string {
  const { adapterHash, base, curve, trainedTokens, durationMs, config } = adapter;
  const losses = curve.flatMap(({ loss }) => loss ?? []);
  const validation = curve.flatMap(({ validationLoss }) => validationLoss ?? []);
  const path = (values: number[]) => `${values[0]?.toFixed(3)} -> ${values.at(-1)?.toFixed(3)}`;
  return [
    `Adapter ${adapterLabel(adapter)} of ${base}, rank ${config.rank}, ${duration(durationMs)}`,
    `  hash        ${adapterHash}`,
    `  loss        ${path(losses)} in ${curve.length} steps, ${trainedTokens} tokens under the loss`,
    ...(validation.length > 0 ? [`  validation  ${path(validation)}`] : []),
  ].join("\n");
}
