/**
 * Answers a request that failed, and tells of what is a bug.
 */
import type { Context } from "hono";
import { apiError } from "./api-error.ts";
import { isPause } from "./server-paused.ts";

const RETRY_AFTER_SECONDS = 1;

/** Shapes: `closing` is aborted when the server closes. */
export function answerError(
  error: unknown,
  c: Context,
  { closing, onBug }: { closing: AbortSignal; onBug(error: unknown): void },
): Response {
  const { status, body } = apiError(error);
  // Work that ends because nobody waits for it any more is no bug, however it ends.
  const isWanted = !c.req.raw.signal.aborted && !closing.aborted;
  if (status >= 500 && isWanted && !isPause(error)) onBug(error);
  if (status === 429 || isPause(error)) c.header("Retry-After", String(RETRY_AFTER_SECONDS));
  return c.json(body, status);
}
