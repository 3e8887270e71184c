/**
 * Answers a request that failed, and tells of what is a bug.
 */
import type { Context } from "hono";
import { Failure } from "../foundation/errors.ts";
import { apiError } from "./api-error.ts";

const RETRY_AFTER_SECONDS = 1;
/** What passes by itself: whoever asks again is answered, and nothing is broken. */
const PASSING = new Set(["SERVER_PAUSED", "ADAPTER_UNPROVEN"]);

/** Shapes: `closing` is aborted when the server closes. */
export function answerError(
  error: unknown,
  c: Context,
  { closing, onBug }: { closing: AbortSignal; onBug(error: unknown): void },
): Response {
  const { status, body } = apiError(error);
  // Work that ends because nobody waits for it any more is no bug, however it ends.
  const isWanted = !c.req.raw.signal.aborted && !closing.aborted;
  const isPassing = error instanceof Failure && PASSING.has(error.code);
  if (status >= 500 && isWanted && !isPassing) onBug(error);
  if (status === 429 || isPassing) c.header("Retry-After", String(RETRY_AFTER_SECONDS));
  return c.json(body, status);
}
