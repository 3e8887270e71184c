/**
 * What waits for a later step: items whose action only shows after the workspace was settled (a restart) are verified
 * again once nothing else is open, all of them after one settling. What then fails is not taken back: other items'
 * states were kept on top of it, and their passes were judged with it.
 */
import { atBoundary } from "../skills/at-boundary.ts";
import { concludeDeferred, outcomeOf } from "./attempt.ts";
import type { Bench } from "./bench.ts";
import type { ItemWork } from "./run-state.ts";

/**
 * Settles, gives each deferred attempt its later verdict and returns how many there were. Where the environment breaks or
 * a role's endpoint gives no answer, the rest waits for the run to be resumed, and the outcome says which. Where the
 * skill's verifier fails, the verdict of before stays, and the failure is recorded.
 */
export async function settleDeferred(
  bench: Bench,
  work: readonly ItemWork[],
): Promise<{ settled: number; stoppedBy: "lost" | "broken" | null }> {
  const waiting = work.filter(({ deferred }) => deferred !== null);
  let isSettled = false;
  for (const [i, item] of waiting.entries()) {
    const { deferred } = item;
    if (deferred === null) continue;
    try {
      const { workspace, keep } = await bench.site.enter(item.item);
      if (!isSettled) {
        await atBoundary("environment", async () => workspace.settle?.());
        await keep();
        isSettled = true;
      }
      await concludeDeferred(bench, item, { ...deferred, workspace });
    } catch (error) {
      const outcome = outcomeOf(bench, deferred.attempt, error);
      if (outcome === "lost" || outcome === "broken") return { settled: i, stoppedBy: outcome };
    }
    item.deferred = null;
  }
  return { settled: waiting.length, stoppedBy: null };
}
