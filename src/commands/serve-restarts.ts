/**
 * A server whose own process has ended by itself is started again. Where the start fails too it is tried again, each time
 * after a longer wait: whatever ended it may have to be mended first.
 */
import { warn } from "../foundation/progress.ts";
import type { RunningServer } from "../serve/index.ts";
import type { Context } from "./command.ts";

const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 60_000;

/** Returns a look at the server, which starts it again where that is due. The look throws what the start does. */
export function restarting(server: RunningServer, context: Context): () => Promise<void> {
  const nowMs = () => context.clock().getTime();
  let waitMs = 0;
  let failedMs = 0;
  return async () => {
    const why = server.ended();
    if (why === null || nowMs() - failedMs < waitMs) return;
    if (waitMs === 0) warn(`${why}\nIt is started again.`, context);
    try {
      await server.resume();
      waitMs = 0;
      warn("Serving again.", context);
    } catch (error) {
      failedMs = nowMs();
      waitMs = Math.min(MOST_WAIT_MS, Math.max(FIRST_WAIT_MS, 2 * waitMs));
      throw error;
    }
  };
}
