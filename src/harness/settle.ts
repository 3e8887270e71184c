/**
 * What waits for a later step: items whose action only shows after the workspace was settled (a restart) are verified
 * again once nothing else is open, all of them after one settling.
 */
import { Failure } from "../foundation/errors.ts";
import { verified } from "./attempt.ts";
import type { Bench } from "./bench.ts";
import type { ItemWork } from "./run-state.ts";

/**
 * Settles, writes the later verdict of each deferred attempt and returns how many there were. Where the environment
 * breaks in it, the verdict of before stays, and the failure is recorded.
 */
export async function settleDeferred(bench: Bench, work: readonly ItemWork[]): Promise<number> {
  const { site, log } = bench;
  const waiting = work.filter(({ deferred }) => deferred !== null);
  for (const [i, item] of waiting.entries()) {
    const { deferred } = item;
    if (deferred === null) continue;
    try {
      const { workspace, keep } = await site.enter(item.item);
      if (i === 0) {
        await workspace.settle?.();
        await keep();
      }
      const verdict = await verified(workspace, deferred.call, { call: deferred.call });
      log.append({ type: "verdict", data: { attempt: deferred.attempt, verdict } });
      if (verdict.passed) item.passed++;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { boundary, code, message } = error;
      log.append({ type: "failure", data: { boundary, code, message, attempt: deferred.attempt } });
    }
    item.deferred = null;
  }
  return waiting.length;
}
