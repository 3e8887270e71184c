/**
 * What is seen of a run while it goes on: on a terminal a bar, the rates so far and the item in work; under `--json` a
 * line for each report and for each item that ended. Rates of a resumed run count all of it, speeds what is done now.
 */
import { counted } from "../foundation/counted.ts";
import { type Progress, startProgress, tell } from "../foundation/progress.ts";
import type { HarnessOptions, RunProgress } from "../harness/index.ts";
import { percent } from "../statistics/figures.ts";
import type { Context } from "./command.ts";

export interface RunView extends Required<Pick<HarnessOptions, "onProgress" | "onItemFinished">> {
  /** Ends the view with what came out; says nothing where the run had not begun. */
  end(): void;
}

/** Shows a run's progress under a title. */
export function viewRun(title: string, context: Context): RunView {
  const { clock, stderr: stream, isJson, signal } = context;
  let progress: Progress | null = null;
  let first: { ms: number; attempts: number } | null = null;
  let ending: string | null = null;
  return {
    onProgress(now) {
      first ??= { ms: clock().getTime(), attempts: now.attempts };
      const { done: doneBefore, total } = now;
      progress ??= startProgress({ title, total, doneBefore, clock, stream, isJson, jsonIntervalMs: 0, signal });
      const seconds = Math.max(0.001, (clock().getTime() - first.ms) / 1000);
      const tokensPerSecond = Math.round(now.completionTokens / seconds);
      const attemptsPerMinute = Math.round((60 * (now.attempts - first.attempts)) / seconds);
      ending = endingOf(now, { attemptsPerMinute, tokensPerSecond });
      const { done: _, total: __, ...counts } = now;
      progress.update(now.done, undefined, {
        below: [ratesOf(now, tokensPerSecond), ...(now.item === null ? [] : [`at ${now.item}`])],
        figures: {
          ...counts,
          firstTryRate: rate(now.firstPasses, now.firstTries),
          solvedRate: rate(now.solved, now.begunItems),
          ...{ attemptsPerMinute, tokensPerSecond },
        },
      });
    },
    onItemFinished(finished) {
      if (isJson) tell(stream, { event: "item_finished", ...finished });
    },
    end() {
      if (ending !== null) progress?.finish(ending);
    },
  };
}

/** Short fields first: a narrow terminal cuts what stands behind. */
function ratesOf(now: RunProgress, tokensPerSecond: number): string {
  const { finishedItems, items, firstPasses, firstTries, solved, begunItems, tips } = now;
  return [
    `${finishedItems}/${items} items`,
    `first try ${shown(rate(firstPasses, firstTries))}`,
    `solved ${shown(rate(solved, begunItems))}`,
    `${tokensPerSecond} tokens/s`,
    counted(tips, "tip"),
  ].join("  ");
}

function endingOf(
  { passed, attempts, solved, firstPasses, firstTries, tips }: RunProgress,
  { attemptsPerMinute, tokensPerSecond }: { attemptsPerMinute: number; tokensPerSecond: number },
): string {
  return (
    `${passed} of ${attempts} passed, ${counted(solved, "item")} solved (${firstPasses} of ${firstTries} at the first try), ` +
    `${counted(tips, "tip")}, ${attemptsPerMinute} attempts/min, ${tokensPerSecond} tokens/s`
  );
}

function rate(passed: number, n: number): number | null {
  return n === 0 ? null : passed / n;
}

function shown(fraction: number | null): string {
  return fraction === null ? "-" : percent(fraction);
}
