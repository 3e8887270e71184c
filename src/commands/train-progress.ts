/**
 * What is seen of a training while it runs: a bar with its loss, speed and memory, and every figure with --json.
 */
import { type Progress, startProgress, tellStage } from "../foundation/progress.ts";
import type { TrainProgress } from "../train/index.ts";
import type { Context } from "./command.ts";

export interface TrainWatch {
  onProgress(event: TrainProgress): void;
  end(): void;
}

/** Watches one training under a title. */
export function watchTraining(context: Context, title: string): TrainWatch {
  const { clock, stderr: stream, isJson } = context;
  let progress: Progress | undefined;
  let first = 1;
  let note: string | undefined;
  return {
    onProgress(event) {
      if (event.type === "progress") {
        if (progress === undefined) tellStage(event.stage, title, context);
        return;
      }
      if (progress === undefined) {
        first = event.step;
        const total = event.steps - first + 1;
        const named = first === 1 ? title : `${title} from step ${first}`;
        progress = startProgress({ title: named, total, clock, stream, isJson, jsonIntervalMs: 0 });
      }
      const { type: _, steps: __, etaMs: ___, ...figures } = event;
      note = noteOf(event);
      progress.update(event.step - first + 1, note, { figures });
    },
    end() {
      progress?.finish(note);
    },
  };
}

function noteOf(event: Extract<TrainProgress, { type: "step" }>): string {
  const { loss, margin, klToBase, tokensPerSecond, memoryBytes } = event;
  return [
    `loss ${loss.toFixed(4)}`,
    ...(margin === undefined ? [] : [`margin ${margin.toFixed(3)}`]),
    ...(klToBase === undefined ? [] : [`kl ${klToBase.toFixed(3)}`]),
    `${Math.round(tokensPerSecond)} tokens/s`,
    ...(memoryBytes === undefined ? [] : [`${(memoryBytes / 2 ** 30).toFixed(1)} GiB`]),
  ].join(", ");
}
