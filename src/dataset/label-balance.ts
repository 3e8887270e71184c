/**
 * Weights that even out good and bad answers for KTO. Its authors want the ratio of the weighted counts, good to bad, in
 * [1, 4/3]; where it is not, one class is weighted up to the middle of that range, as TRL warns at its rounded ends.
 * Source: arXiv:2402.01306, equation 8; TRL, kto_trainer.py.
 */
import type { DatasetManifest } from "../records/dataset-manifest.ts";

const LEAST_RATIO = 1;
const MOST_RATIO = 4 / 3;
const MIDDLE_RATIO = 7 / 6;

/** Counts with the weights of their losses; both weights are 1 where a class is empty. */
export function labelBalance({ good, bad }: { good: number; bad: number }): NonNullable<DatasetManifest["labels"]> {
  const ratio = good / bad;
  if (good === 0 || bad === 0 || (ratio >= LEAST_RATIO && ratio <= MOST_RATIO)) {
    return { good, bad, goodWeight: 1, badWeight: 1 };
  }
  const weight = ratio < LEAST_RATIO ? MIDDLE_RATIO / ratio : ratio / MIDDLE_RATIO;
  const rounded = Math.round(weight * 1000) / 1000;
  return ratio < LEAST_RATIO
    ? { good, bad, goodWeight: rounded, badWeight: 1 }
    : { good, bad, goodWeight: 1, badWeight: rounded };
}
