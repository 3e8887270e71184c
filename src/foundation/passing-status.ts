/**
 * Which answers of an HTTP server are not about the request, so that the same one may be answered later, and when to ask again.
 */

const LONGEST_WAIT_MS = 30_000;

/** Whether a server that is busy, early or broken may answer the same request later. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** When a server says that it may be asked again; null where it does not say so in seconds. */
export function retryAfterMs(headers: Headers): number | null {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** How long to wait before the next try: what the server said, else what the caller would, and at most half a minute. */
export function waitBeforeTryMs(saidMs: number | null, ownMs: number): number {
  return Math.min(saidMs ?? ownMs, LONGEST_WAIT_MS);
}
