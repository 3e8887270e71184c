/**
 * Keeps up to N attempts in flight. The attempts at one item follow each other, so that `enough` and the tips of an
 * item mean the same at any concurrency; different items go side by side.
 * Does not know what an attempt is.
 */
import type { ItemWork } from "./run-state.ts";

/**
 * Makes attempts until no item is open or `isStopped`, then waits for those in flight.
 * Shapes: `waits` says whether an item has to wait while others are open; where all would wait, none does.
 * Throws: the first error of `attempt` or of `pick`, once the others have ended.
 */
export async function schedule(options: {
  work: ItemWork[];
  concurrency: number;
  isStopped(): boolean;
  waits(item: ItemWork, open: readonly ItemWork[]): boolean;
  /** The next item; null where none can be chosen now, as the run stops. */
  pick(open: readonly [ItemWork, ...ItemWork[]]): Promise<ItemWork | null>;
  /** Whether an item that was chosen is worked on to its end before another is chosen in its place. */
  stays: boolean;
  attempt(item: ItemWork, n: number): Promise<void>;
}): Promise<void> {
  const { work, concurrency, isStopped, waits, pick, stays, attempt } = options;
  const running = new Set<Promise<void>>();

  async function workOn(item: ItemWork): Promise<void> {
    try {
      do await attempt(item, item.left.shift() as number);
      while (stays && isOpen(item) && !isStopped());
    } finally {
      item.isInWork = false;
    }
  }

  function available(): ItemWork[] {
    const open = work.filter(isOpen);
    const ready = open.filter((item) => !waits(item, open));
    return (ready.length > 0 ? ready : open).filter((item) => !item.isInWork);
  }

  try {
    for (;;) {
      while (running.size < concurrency && !isStopped()) {
        const [first, ...others] = available();
        if (first === undefined) break;
        const item = await pick([first, ...others]);
        if (item === null) break;
        item.isInWork = true;
        const job: Promise<void> = workOn(item).finally(() => running.delete(job));
        running.add(job);
      }
      if (running.size === 0) return;
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}

/** An item whose action is still to show is left alone until it has. */
function isOpen({ left, isFinished, deferred }: ItemWork): boolean {
  return left.length > 0 && !isFinished && deferred === null;
}
