/**
 * What is seen of a training while it runs: a bar with its loss, its last validation, learning rate, norm of the gradient, speed
 * and memory, and every figure with --json.
 */
import { type Progress, startProgress, tellStage } from "../foundation/progress.ts";
import type { TrainProgress } from "../train/index.ts";
import type { Context } from "./command.ts";

export interface TrainWatch {
  onProgress(event: TrainProgress): void;
  end(): void;
}

type Step = Extract<TrainProgress, { type: "step" }>;
type Validation = Extract<TrainProgress, { type: "validation" }>;

/** Watches one training under a title. */
export function watchTraining(context: Context, title: string): TrainWatch {
  const { clock, stderr: stream, isJson } = context;
  let progress: Progress | undefined;
  let first = 1;
  let step: Step | undefined;
  let validation: Validation | undefined;
  const note = () => (step === undefined ? undefined : noteOf(step, validation));

  function begin({ step: from, steps }: Step): Progress {
    first = from;
    const named = first === 1 ? title : `${title} from step ${first}`;
    return startProgress({ title: named, total: steps - first + 1, clock, stream, isJson, jsonIntervalMs: 0 });
  }

  return {
    onProgress(event) {
      if (event.type === "progress") {
        if (progress === undefined) tellStage(event.stage, title, context);
      } else if (event.type === "step") {
        step = event;
        progress ??= begin(event);
        const { type: _, steps: __, etaMs: ___, ...figures } = event;
        progress.update(event.step - first + 1, note(), { figures });
      } else {
        validation = event;
        const { type: _, step: at, epoch, ...figures } = event;
        progress?.update(at - first + 1, note(), { figures: { step: at, epoch, validation: figures } });
      }
    },
    end() {
      progress?.finish(note());
    },
  };
}

function noteOf(step: Step, validation: Validation | undefined): string {
  const { loss, margin, learningRate, gradNorm, tokensPerSecond, memoryBytes } = step;
  const { loss: validationLoss, klToBase } = validation ?? {};
  return [
    `loss ${loss.toFixed(4)}`,
    ...(validationLoss === undefined ? [] : [`val ${validationLoss.toFixed(4)}`]),
    ...(margin === undefined ? [] : [`margin ${margin.toFixed(3)}`]),
    ...(klToBase === undefined ? [] : [`kl ${klToBase.toFixed(3)}`]),
    `lr ${learningRate.toExponential(1)}`,
    ...(gradNorm === undefined ? [] : [`norm ${gradNorm.toPrecision(3)}`]),
    `${Math.round(tokensPerSecond)} tokens/s`,
    ...(memoryBytes === undefined ? [] : [`${(memoryBytes / 2 ** 30).toFixed(1)} GiB`]),
  ].join(", ");
}
