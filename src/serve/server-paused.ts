/**
 * What whoever asks a server is told while its memory is another's.
 */
import { Failure } from "../foundation/errors.ts";

/** Builds the failure that asking again later mends. */
export function serverPaused(): Failure {
  const message = "The server gave its memory to a training, or starts again; it comes back by itself.";
  return new Failure({ boundary: "endpoint", code: "SERVER_PAUSED", message });
}
