/**
 * Keeps up to N attempts in flight. The attempts at one item follow each other, so that `enough` and the tips of an
 * item mean the same at any concurrency; different items go side by side.
 * Does not know what an attempt is.
 */
import type { ArchitectRule } from "./role.ts";
import type { ItemWork } from "./run-state.ts";

/**
 * Makes attempts until no item is open or `isStopped`, then waits for those in flight.
 * Throws: the first error of `attempt`, once the others have ended.
 */
export async function schedule(options: {
  work: ItemWork[];
  architect: ArchitectRule;
  concurrency: number;
  isStopped(): boolean;
  attempt(item: ItemWork, n: number): Promise<void>;
}): Promise<void> {
  const { work, architect, concurrency, isStopped, attempt } = options;
  const running = new Set<Promise<void>>();

  async function next(item: ItemWork): Promise<void> {
    const n = item.left.shift() as number;
    item.isInWork = true;
    try {
      await attempt(item, n);
    } finally {
      item.isInWork = false;
    }
  }

  try {
    for (;;) {
      while (running.size < concurrency && !isStopped()) {
        const [first, ...others] = work.filter((item) => item.left.length > 0 && !item.isInWork && !item.isFinished);
        if (first === undefined) break;
        const job: Promise<void> = next(architect.pick([first, ...others])).finally(() => running.delete(job));
        running.add(job);
      }
      if (running.size === 0) return;
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}
