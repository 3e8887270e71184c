/**
 * `tracemill train`: a LoRA of a base, trained on a dataset.
 */
import { join } from "node:path";
import type { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { duration, type Progress, startProgress, tellStage } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import { planTraining, type TrainOptions, type TrainProgress, trainAdapter } from "../train/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { refuseTainted } from "./taint.ts";
import { trainInput } from "./train-input.ts";

type Given = z.input<typeof trainInput>;
/** The command's options, of one dataset. */
type OneDataset = Omit<Given, "dataset"> & { dataset: string };

/**
 * Trains an adapter with a progress bar and returns its manifest; a killed training goes on where it was.
 * Throws: `TAINTED_DATASET`, `TAINTED_PARENT`, and as `trainAdapter`.
 */
export async function trainOn(given: OneDataset, context: Context, title = "train"): Promise<AdapterManifest> {
  const options = optionsOf(given, context);
  await refuseTainted(context.home, options);
  const watch = watched(context, title);
  try {
    return await trainAdapter({ ...options, onProgress: watch.onProgress });
  } finally {
    watch.end();
  }
}

/** Trains one adapter, or one for each dataset's role. Throws: `SEVERAL_DATASETS`, `ROLE_TWICE`, and as `trainOn`. */
async function trainAll(given: z.output<typeof trainInput>, context: Context): Promise<AdapterManifest[]> {
  const [first = "", ...others] = given.dataset;
  if (!given.perRole) {
    if (others.length === 0) return [await trainOn({ ...given, dataset: first }, context)];
    throw new Refusal({
      code: "SEVERAL_DATASETS",
      message: "An adapter is trained on one dataset.",
      expected: "one --dataset, or --per-role for an adapter of each",
      got: given.dataset.join(", "),
      fix: "--per-role, or one export over all the runs",
    });
  }
  const trainings = await perRole(given, context);
  // Whatever can be refused of the last one is refused before the first one is trained.
  for (const { input } of trainings) {
    const options = optionsOf(input, context);
    await refuseTainted(context.home, options);
    await planTraining({ ...options, onProgress: () => {} });
  }
  const adapters: AdapterManifest[] = [];
  for (const { role, input } of trainings) adapters.push(await trainOn(input, context, `train ${role}`));
  return adapters;
}

async function perRole(
  given: z.output<typeof trainInput>,
  { home }: Context,
): Promise<{ role: string; input: OneDataset }[]> {
  const { name, out, dataset: names } = given;
  const datasets = await Promise.all(names.map((dataset) => readDatasetManifest(home, dataset)));
  const roles = datasets.map(({ role }) => role);
  const twice = roles.find((role, i) => roles.indexOf(role) !== i);
  if (twice !== undefined) {
    throw new Refusal({
      code: "ROLE_TWICE",
      message: `Two of the datasets are of the role ${twice}.`,
      expected: "datasets of different roles",
      got: names.map((dataset, i) => `${dataset} (${roles[i]})`).join(", "),
      fix: "leave out all but one of a role",
    });
  }
  return datasets.map(({ role, datasetHash: dataset }) => ({
    role,
    input: {
      ...given,
      dataset,
      ...(out !== undefined && { out: join(out, role) }),
      ...(name !== undefined && { name: `${name}-${role}` }),
    },
  }));
}

function optionsOf(given: OneDataset, { home, clock, signal }: Context): Omit<TrainOptions, "onProgress"> {
  const parsed = trainInput.parse({ ...given, dataset: [given.dataset] });
  const { dataset: _, base, method, backend, name, from, perRole: __, launch, merge, out, ...settings } = parsed;
  const { learningRate, quantize: quantization, full, ...rest } = settings;
  const trains = full ? ("full" as const) : ("lora" as const);
  const config = { ...rest, quantization, trains, ...(learningRate !== undefined && { learningRate }) };
  return {
    ...{ home, clock, signal, dataset: given.dataset, base, method, backend, config, launch, merge },
    ...(out !== undefined && { out }),
    ...(name !== undefined && { name }),
    ...(from !== undefined && { from }),
  };
}

function watched(context: Context, name: string) {
  const { clock, stderr: stream, isJson } = context;
  let progress: Progress | undefined;
  let first = 1;
  let note: string | undefined;
  return {
    onProgress(event: TrainProgress): void {
      if (event.type === "progress") {
        if (progress === undefined) tellStage(event.stage, name, context);
        return;
      }
      if (progress === undefined) {
        first = event.step;
        const title = first === 1 ? name : `${name} from step ${first}`;
        const total = event.steps - first + 1;
        progress = startProgress({ title, total, clock, stream, isJson, jsonIntervalMs: 0 });
      }
      const { step, loss, tokensPerSecond, margin } = event;
      const held = margin === undefined ? "" : `, margin ${margin.toFixed(3)}`;
      note = `loss ${loss.toFixed(4)}${held}, ${Math.round(tokensPerSecond)} tokens/s`;
      progress.update(step - first + 1, note, {
        figures: { step, loss, tokensPerSecond, ...(margin !== undefined && { margin }) },
      });
    },
    end(): void {
      progress?.finish(note);
    },
  };
}

export default defineCommand({
  summary: "Train a LoRA of a base on a dataset.",
  details: `A training that was stopped or killed goes on from its last checkpoint when the same command is given again.
Example: tracemill train --dataset 3f2a --base smollm2 --method sft --name sql-v1
         tracemill train --dataset 91c0 --base smollm2 --method dpo --from sql-v1 --name sql-v2
         tracemill train --per-role --dataset 3f2a --dataset 77b1 --base smollm2 --name sql-v1`,
  input: trainInput as z.ZodType<z.output<typeof trainInput>>,
  async run(input, context): Promise<AdapterManifest | AdapterManifest[]> {
    const adapters = await trainAll(input, context);
    const [only] = adapters;
    return input.perRole || only === undefined ? adapters : only;
  },
  print: (made) => [made].flat().map(printed).join("\n"),
});

function printed(adapter: AdapterManifest): string {
  const { adapterHash, base, curve, trainedTokens, durationMs, config, ggufRefused } = adapter;
  const losses = curve.flatMap(({ loss }) => loss ?? []);
  const validation = curve.flatMap(({ validationLoss }) => validationLoss ?? []);
  const margins = curve.flatMap(({ validation: found }) => found?.margin ?? []);
  const path = (values: number[]) => `${values[0]?.toFixed(3)} -> ${values.at(-1)?.toFixed(3)}`;
  const size = config.trains === "full" ? "all weights" : `rank ${config.rank}`;
  return [
    `Adapter ${adapterLabel(adapter)} of ${base}, ${size}, ${duration(durationMs)}`,
    `  hash        ${adapterHash}`,
    `  loss        ${path(losses)} in ${curve.length} steps, ${trainedTokens} tokens under the loss`,
    ...(validation.length > 0 ? [`  validation  ${path(validation)}`] : []),
    ...(ggufRefused !== undefined ? [`  no GGUF     ${ggufRefused}`] : []),
    ...(margins.length > 0 ? [`  margin      ${path(margins)} on the validation rows`] : []),
  ].join("\n");
}
