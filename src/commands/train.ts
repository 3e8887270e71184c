/**
 * `tracemill train`: a LoRA of a base, trained on a dataset.
 */
import { join } from "node:path";
import type { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { inOrder } from "../foundation/in-order.ts";
import { duration } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import {
  checkTraining,
  planAdapter,
  rowsInWords,
  type TrainOptions,
  type TrainPlan,
  trainAdapter,
  type WrittenConfig,
  writeTrainConfig,
} from "../train/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { shownHashing } from "./preparation.ts";
import { refuseTainted } from "./taint.ts";
import { rehearsalFrom, settingsFrom, trainInput } from "./train-input.ts";
import { planText } from "./train-plan.ts";
import { watchTraining } from "./train-progress.ts";

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
  const watch = watchTraining(context, title);
  try {
    return await trainAdapter({ ...options, onProgress: watch.onProgress });
  } finally {
    watch.end();
  }
}

/** Trains one adapter, or one for each dataset's role. Throws: `SEVERAL_DATASETS`, `ROLE_TWICE`, and as `trainOn`. */
async function trainAll(
  given: z.output<typeof trainInput>,
  context: Context,
): Promise<AdapterManifest | AdapterManifest[]> {
  if (!given.perRole) return trainOn(ofOneDataset(given), context);
  const trainings = await perRole(given, context);
  // Whatever can be refused of the last one is refused before the first one is trained.
  for (const { input } of trainings) {
    const options = optionsOf(input, context);
    await refuseTainted(context.home, options);
    await checkTraining({ ...options, onProgress: () => {} });
  }
  return inOrder(trainings, ({ role, input }) => trainOn(input, context, `train ${role}`));
}

/** Does `work` with the one dataset, or with each of several roles. Throws: `SEVERAL_DATASETS`, `ROLE_TWICE`. */
async function ofEach<T>(
  given: z.output<typeof trainInput>,
  context: Context,
  work: (input: OneDataset) => Promise<T>,
): Promise<T | T[]> {
  if (!given.perRole) return work(ofOneDataset(given));
  return inOrder(await perRole(given, context), ({ input }) => work(input));
}

function ofOneDataset(given: z.output<typeof trainInput>): OneDataset {
  const [first = "", ...others] = given.dataset;
  if (others.length === 0) return { ...given, dataset: first };
  throw new Refusal({
    code: "SEVERAL_DATASETS",
    message: "An adapter is trained on one dataset at a time.",
    expected: "one --dataset, or --per-role for an adapter of each",
    got: given.dataset.join(", "),
    fix: "--per-role; for one adapter of all roles, `tracemill export --role all`; for more runs, export them together",
  });
}

/** Plans the same training. Throws: `TAINTED_DATASET`, `TAINTED_PARENT`, and as `planAdapter`. */
async function planOf(input: OneDataset, context: Context): Promise<TrainPlan> {
  const { gpus } = input;
  const options = optionsOf(input, context);
  await refuseTainted(context.home, options);
  return planAdapter({ ...options, ...(gpus !== undefined && { gpus }) });
}

/** Writes the backend's own configuration. Throws: `TAINTED_DATASET`, and as `writeTrainConfig`. */
async function writeFor(input: OneDataset, context: Context): Promise<WrittenConfig> {
  const { writeConfig: folder } = input;
  assert(folder !== undefined, "a configuration is written where no folder was named");
  const options = optionsOf(input, context);
  await refuseTainted(context.home, options);
  return writeTrainConfig(options, folder);
}

async function perRole(
  given: z.output<typeof trainInput>,
  { home }: Context,
): Promise<{ role: string; input: OneDataset }[]> {
  const { name, out, writeConfig, dataset: names } = given;
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
      ...(writeConfig !== undefined && { writeConfig: join(writeConfig, role) }),
      ...(name !== undefined && { name: `${name}-${role}` }),
    },
  }));
}

function optionsOf(given: OneDataset, context: Context): Omit<TrainOptions, "onProgress"> {
  const { home, clock, signal } = context;
  const options = trainInput.parse({ ...given, dataset: [given.dataset] });
  const { base, method, backend, name, from, launch, merge, out, unplanned: isUnplanned, rehearse } = options;
  return {
    ...{ home, clock, signal, dataset: given.dataset, base, method, backend, launch, merge, isUnplanned },
    ...{ config: settingsFrom(options), onHash: shownHashing(context) },
    ...(rehearse !== undefined && { rehearse: rehearsalFrom(rehearse) }),
    ...(out !== undefined && { out }),
    ...(name !== undefined && { name }),
    ...(from !== undefined && { from }),
  };
}

export default defineCommand({
  summary: "Train a LoRA of a base on a dataset.",
  details: `A training that was stopped or killed goes on from its last checkpoint when the same command is given again. It is
refused before anything is loaded where it would not fit; --plan tells more, and ends with 2 where it does not fit.
Example: tracemill train --dataset 3f2a --base smollm2 --method sft --name sql-v1
         tracemill train --dataset 91c0 --base smollm2 --method dpo --from sql-v1 --name sql-v2
         tracemill train --per-role --dataset 3f2a --dataset 77b1 --base smollm2 --name sql-v1
         tracemill train --dataset 3f2a --base gemma-4-31b --quantize nf4 --plan --gpus 4xL4`,
  input: trainInput as z.ZodType<z.output<typeof trainInput>>,
  async run(given, context): Promise<Made> {
    refuseUnused(given);
    if (given.plan) return ofEach(given, context, (input) => planOf(input, context));
    if (given.writeConfig !== undefined) return ofEach(given, context, (input) => writeFor(input, context));
    return trainAll(given, context);
  },
  print(made, { dataset }) {
    if (!Array.isArray(made)) return printed(made);
    return made.map((one, index) => ("fits" in one ? `Dataset ${dataset[index]}\n` : "") + printed(one)).join("\n");
  },
  exitCode: (made) => ([made].flat().some(isPlanOfNone) ? 2 : 0),
});

/** Whether it is the plan of a training that cannot be. */
function isPlanOfNone(made: MadeOfOne): boolean {
  return "fits" in made && !(made.fits && made.refused === null);
}

/** Throws: `BAD_ARGUMENT` where GPUs are named for a training, which takes those that are there, or two things are asked for. */
function refuseUnused({ gpus, plan, writeConfig }: z.output<typeof trainInput>): void {
  if (plan && writeConfig !== undefined) {
    throw new Refusal({
      code: "BAD_ARGUMENT",
      message: "A plan writes no configuration.",
      expected: "--plan or --write-config",
      got: "both",
      fix: "leave one of them out",
    });
  }
  if (gpus === undefined || plan) return;
  throw new Refusal({
    code: "BAD_ARGUMENT",
    message: "--gpus names the cards of a plan; a training takes the GPUs that are there.",
    expected: "--gpus with --plan",
    got: `--gpus ${gpus}`,
    fix: "add --plan, or choose GPUs by CUDA_VISIBLE_DEVICES",
  });
}

type MadeOfOne = AdapterManifest | TrainPlan | WrittenConfig;
/** Several with --per-role. */
type Made = MadeOfOne | MadeOfOne[];

function printed(made: MadeOfOne): string {
  if ("fits" in made) return planText(made);
  if ("command" in made) return `Written into ${made.folder}. Train with: ${made.command}`;
  return adapterText(made);
}

function adapterText(adapter: AdapterManifest): string {
  const { adapterHash, base, curve, trainedTokens, durationMs, config, ggufRefused } = adapter;
  const { stoppedBy, bestStep, droppedRows = 0, droppedValidationRows = 0, droppedRehearsalRows = 0 } = adapter;
  const dropped = rowsInWords({
    train: droppedRows,
    validation: droppedValidationRows,
    rehearsal: droppedRehearsalRows,
  });
  const distance = curve.flatMap(({ validation: found }) => found?.klToBase ?? []).at(-1);
  const losses = curve.flatMap(({ loss }) => loss ?? []);
  const validation = curve.flatMap(({ validationLoss }) => validationLoss ?? []);
  const margins = curve.flatMap(({ validation: found }) => found?.margin ?? []);
  const path = (values: number[]) =>
    [...new Set([values[0], values.at(-1)])].map((value) => value?.toFixed(3)).join(" -> ");
  const size = config.trains === "full" ? "all weights" : `rank ${config.rank}`;
  return [
    `Adapter ${adapterLabel(adapter)} of ${base}, ${size}, ${duration(durationMs)}`,
    `  hash        ${adapterHash}`,
    `  loss        ${path(losses)} in ${counted(curve.length, "step")}, ${trainedTokens} tokens under the loss`,
    ...(validation.length > 0 ? [`  validation  ${path(validation)}`] : []),
    ...(distance !== undefined ? [`  distance    ${distance.toFixed(3)} nats a token from the base`] : []),
    ...(stoppedBy !== undefined ? [`  stopped     by --${stoppedBy}`] : []),
    ...(bestStep !== undefined ? [`  weights     of step ${bestStep}, the lowest validation loss`] : []),
    ...(dropped !== "" ? [`  dropped     of more than ${config.maxTokens} tokens: ${dropped}`] : []),
    ...(ggufRefused !== undefined ? [`  no GGUF     ${ggufRefused}`] : []),
    ...(margins.length > 0 ? [`  margin      ${path([0, ...margins])} on the validation rows`] : []),
  ].join("\n");
}
