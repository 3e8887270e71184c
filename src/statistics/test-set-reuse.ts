/**
 * The price of judging one candidate after another on the same test set.
 */
import { assert } from "../foundation/errors.ts";

/**
 * The alpha of the k-th candidate on one test set: alpha / (k (k + 1)). Over all candidates, however many come, the shares
 * sum to alpha, so the chance of ever calling a useless one better stays below it.
 * Shapes: `k` counts from 1.
 * Source: Foster and Stine 2008, JRSS B 70:429 (alpha spending over a sequence of tests); the weights telescope.
 */
export function reuseAlpha(alpha: number, k: number): number {
  assert(Number.isInteger(k) && k >= 1, "candidates count from 1");
  return alpha / (k * (k + 1));
}
