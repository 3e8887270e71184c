/**
 * An arm's own figures on one skill: how much it solved, and what that took. Pure.
 */
import { sumOf } from "../foundation/sums.ts";
import type { ArmMetrics, ArmResult } from "../records/comparison.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import type { Sample } from "./arm-outcomes.ts";
import type { WholeArm } from "./judged-part.ts";

/** Returns an arm's figures; its interval is Wilson's, of samples drawn independently. */
export function armFigures({ arm, runs, outcomes }: WholeArm, alpha: number): ArmResult {
  const samples = outcomes.flatMap((outcome) => outcome.samples);
  const n = samples.length;
  const passed = samples.filter((one) => one.passed).length;
  return {
    ...{ arm: arm.arm, runs, passed, n, rate: passed / n },
    interval: wilsonInterval(passed, n, alpha),
    metrics: metricsOf(samples),
  };
}

function metricsOf(samples: readonly Sample[]): ArmMetrics {
  const total = (of: (one: Sample) => number) => sumOf(samples, of);
  const attempts = total((one) => one.attempts);
  const solved = samples.filter((one) => one.solved);
  const passes = total((one) => Number(one.solved));
  const completion = known(samples, (one) => one.completionTokens);
  const all = known(samples, (one) => one.totalTokens);
  const wall = known(samples, (one) => one.wallMs);
  const valid = known(samples, (one) => one.validCalls);
  return {
    solved: solved.length / samples.length,
    attemptsToSuccess: passes === 0 ? null : sumOf(solved, (one) => one.attempts) / passes,
    completionTokens: completion === null ? null : completion / attempts,
    totalTokens: all === null ? null : all / attempts,
    tokensPerSolved: completion === null || passes === 0 ? null : completion / passes,
    wallMs: wall === null ? null : wall / attempts,
    validCalls: valid === null ? null : valid / attempts,
    noopPasses: total((one) => one.noopPasses) / attempts,
    suspect: total((one) => one.suspect) / attempts,
  };
}

/** A sum; null where one of its parts is not known. */
function known(samples: readonly Sample[], of: (one: Sample) => number | null): number | null {
  let sum = 0;
  for (const one of samples) {
    const part = of(one);
    if (part === null) return null;
    sum += part;
  }
  return sum;
}
