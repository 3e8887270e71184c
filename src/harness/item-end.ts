/**
 * When an item's work is over, and how a run counts what its items came to.
 */
import { sumOf } from "../foundation/sums.ts";
import type { RunLog } from "../store/run-log.ts";
import type { Outcome } from "./attempt.ts";
import type { HarnessOptions, ItemBudget } from "./harness-options.ts";
import type { ItemWork } from "./run-state.ts";

/** Takes an attempt's outcome into its item's counts. */
export function countOutcome(item: ItemWork, outcome: Outcome): void {
  if (outcome === "ended") return;
  item.tried++;
  if (outcome === "passed") item.passed++;
  if (outcome === "lost") item.lost++;
  if (outcome === "failed") item.failed++;
  if (outcome === "broken") {
    // Paused: what is left of it is made when the run is resumed, on an environment that was looked after.
    item.broken += 1 + item.left.length;
    item.left = [];
  }
}

/** Ends an item whose budget is spent. */
export function spendBudget(item: ItemWork, { timeMs, tokens }: ItemBudget = {}): void {
  if (item.passed > 0 || item.endReason !== null) return;
  if (timeMs !== undefined && item.spentMs >= timeMs) item.endReason = "wall-time";
  if (tokens !== undefined && item.spentTokens >= tokens) item.endReason = "tokens";
}

/** Leaves an item that is open when the run's budget is spent. */
export function leaveOpen(item: ItemWork): void {
  if (item.isFinished || item.endReason !== null || item.left.length === 0) return;
  item.endReason = "run-budget";
  item.isSkipped = item.tried === 0;
}

/** Gives an item its end state once it has passed often enough, was given up, or has had all its attempts and none is lost. */
export function finishIfDone(log: RunLog, item: ItemWork, { enough = Number.POSITIVE_INFINITY }: HarnessOptions): void {
  const isSpent = item.left.length === 0 && item.lost === 0 && item.broken === 0;
  const isDone = item.passed >= enough || item.endReason !== null || isSpent;
  if (item.isFinished || !isDone || item.deferred !== null) return;
  const attempts = judgedAttempts(item);
  const reason = item.passed >= enough || isSpent ? null : item.endReason;
  const state = item.isSkipped
    ? "skipped"
    : item.passed > 0
      ? "solved"
      : isLooked(item, attempts)
        ? "unsolved"
        : "failed";
  const data = { item: item.item.item, state, attempts, passed: item.passed } as const;
  log.append({ type: "item_finished", data: reason === null ? data : { ...data, reason } });
  item.isFinished = true;
}

/** An item that was given up before its first attempt was judged is unsolved too; one that only failed is not. */
function isLooked(item: ItemWork, attempts: number): boolean {
  return attempts > 0 || item.endReason !== null;
}

/** Attempts that have a verdict. */
export function judgedAttempts(item: ItemWork): number {
  return item.tried - item.lost - item.failed - Math.min(item.broken, 1);
}

/** Counts what was lost or failed over all items; an item whose workspace broke counts once. */
export function failuresOf(work: readonly ItemWork[]): number {
  return sumOf(work, (item) => item.lost + item.failed + Math.min(item.broken, 1));
}

/** Whether no item is left to work at. */
export function isAllFinished(work: readonly ItemWork[]): boolean {
  return work.every((item) => item.isFinished);
}
