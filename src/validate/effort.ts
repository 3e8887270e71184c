/**
 * What an arm's attempts took, as the cells of a table: the same figures for a whole skill, one family of it, and all skills together.
 */
import type { ArmMetrics } from "../records/comparison.ts";
import { percent, tokens } from "../statistics/figures.ts";

/** Heads of the cells of `effortRow`. */
export const EFFORT_HEADER = [
  ...["solved within the attempts", "attempts to a success", "tokens an attempt", "with its prompts"],
  ...["tokens a solved item", "seconds an attempt"],
];

/** Heads of the cells of `soundnessRow`. */
export const SOUNDNESS_HEADER = ["valid actions", "no-op passes", "doubtful environment"];

/** Writes the cells under `EFFORT_HEADER`. */
export function effortRow(metrics: ArmMetrics): string[] {
  const { solved, attemptsToSuccess, completionTokens, totalTokens, tokensPerSolved, wallMs } = metrics;
  const seconds = wallMs === null ? "-" : (wallMs / 1000).toFixed(2);
  const needed = attemptsToSuccess === null ? "-" : attemptsToSuccess.toFixed(2);
  return [percent(solved), needed, tokens(completionTokens), tokens(totalTokens), tokens(tokensPerSolved), seconds];
}

/** Writes the cells under `SOUNDNESS_HEADER`. */
export function soundnessRow({ validCalls, noopPasses, suspect }: ArmMetrics): string[] {
  return [validCalls, noopPasses, suspect].map(percent);
}
