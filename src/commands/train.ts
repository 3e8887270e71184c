/**
 * `tracemill train`: a LoRA of a base, trained on a dataset.
 */
import type { z } from "zod";
import { duration, type Progress, startProgress, tellStage } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import { type TrainProgress, trainAdapter } from "../train/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { refuseTainted } from "./taint.ts";
import { trainInput } from "./train-input.ts";

/**
 * Trains an adapter with a progress bar and returns its manifest; a killed training goes on where it was.
 * Throws: `TAINTED_DATASET`, and as `trainAdapter`.
 */
export async function trainOn(given: z.input<typeof trainInput>, context: Context): Promise<AdapterManifest> {
  const { home, clock, signal } = context;
  const { dataset, base, method, backend, name, launch, merge, out, ...settings } = trainInput.parse(given);
  await refuseTainted(home, dataset);
  const watch = watched(context);
  const { learningRate, quantize: quantization, full, ...rest } = settings;
  const trains = full ? ("full" as const) : ("lora" as const);
  const config = { ...rest, quantization, trains, ...(learningRate !== undefined && { learningRate }) };
  const asked = { ...(name !== undefined && { name }), ...(out !== undefined && { out }) };
  const options = { home, dataset, base, method, backend, launch, merge, config, ...asked };
  try {
    return await trainAdapter({ ...options, clock, signal, onProgress: watch.onProgress });
  } finally {
    watch.end();
  }
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
Example: tracemill train --dataset 3f2a --base smollm2 --method sft --name sql-v1`,
  input: trainInput as z.ZodType<z.output<typeof trainInput>>,
  run: trainOn,
  print: printed,
});

function printed(adapter: AdapterManifest): string {
  const { adapterHash, base, curve, trainedTokens, durationMs, config, ggufRefused } = adapter;
  const losses = curve.flatMap(({ loss }) => loss ?? []);
  const validation = curve.flatMap(({ validationLoss }) => validationLoss ?? []);
  const path = (values: number[]) => `${values[0]?.toFixed(3)} -> ${values.at(-1)?.toFixed(3)}`;
  const size = config.trains === "full" ? "all weights" : `rank ${config.rank}`;
  return [
    `Adapter ${adapterLabel(adapter)} of ${base}, ${size}, ${duration(durationMs)}`,
    `  hash        ${adapterHash}`,
    `  loss        ${path(losses)} in ${curve.length} steps, ${trainedTokens} tokens under the loss`,
    ...(validation.length > 0 ? [`  validation  ${path(validation)}`] : []),
    ...(ggufRefused !== undefined ? [`  no GGUF     ${ggufRefused}`] : []),
  ].join("\n");
}
