/**
 * From what is thrown to a status and a body in OpenAI's error shape.
 */
import { Failure, Refusal, refusalSentence } from "../foundation/errors.ts";

export type ErrorStatus = 400 | 404 | 413 | 429 | 500 | 503;

export interface ApiError {
  status: ErrorStatus;
  body: { error: { message: string; type: string; param: string | null; code: string | null } };
}

const STATUS_BY_CODE: Record<string, { status: ErrorStatus; code: string | null }> = {
  UNKNOWN_MODEL: { status: 404, code: "model_not_found" },
  NO_SUCH_PATH: { status: 404, code: null },
  PROMPT_TOO_LONG: { status: 400, code: "context_length_exceeded" },
  BODY_TOO_LARGE: { status: 413, code: null },
  QUEUE_FULL: { status: 429, code: "rate_limit_exceeded" },
};

/** Bad input is told in full; of a bug only that there was one. */
export function apiError(error: unknown): ApiError {
  if (error instanceof Refusal) {
    const { status, code } = STATUS_BY_CODE[error.code] ?? { status: 400, code: null };
    const { where = null } = error.details;
    const type = status === 429 ? "rate_limit_error" : "invalid_request_error";
    return {
      status,
      body: { error: { message: refusalSentence(error), type, param: where, code } },
    };
  }
  if (error instanceof Failure) {
    return {
      status: 503,
      body: { error: { message: error.message, type: "server_error", param: null, code: error.code } },
    };
  }
  return {
    status: 500,
    body: { error: { message: "The server failed.", type: "server_error", param: null, code: null } },
  };
}

/** Throws the refusal of a path that no server has. */
export function refusePath({ method, path }: { method: string; path: string }): never {
  throw new Refusal({
    code: "NO_SUCH_PATH",
    message: "There is nothing here.",
    expected: "a path of the OpenAI API, such as /v1/models or /v1/chat/completions",
    got: `${method} ${path}`,
  });
}

/** Throws the refusal of a body that is too large. */
export function refuseBody(mostBytes: number): never {
  throw new Refusal({
    code: "BODY_TOO_LARGE",
    message: "The body is too large.",
    expected: `at most ${mostBytes} bytes`,
  });
}
