/**
 * What whoever asks a server is told while its memory is another's.
 */
import { Failure } from "../foundation/errors.ts";

const CODE = "SERVER_PAUSED";

export function serverPaused(): Failure {
  const message = "The server gave its memory to a training, or starts again; it comes back by itself.";
  return new Failure({ boundary: "endpoint", code: CODE, message });
}

export function isPause(error: unknown): boolean {
  return error instanceof Failure && error.code === CODE;
}
