/**
 * One question to an endpoint's `/v1/completions`, in token ids, tried again where that may help. Does not know what the
 * answer is for. The server is not trusted: redirects are not followed, what is read is bounded, its shape checked.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { boundedText } from "../../foundation/bounded-text.ts";
import { Failure } from "../../foundation/errors.ts";
import type { Hash } from "../../foundation/hashing.ts";
import { jsonValue } from "../../foundation/json-value.ts";
import { isPassing, retryAfterMs, waitBeforeTryMs } from "../../foundation/passing-status.ts";

const TRIES = 5;
const FIRST_WAIT_MS = 500;
const TIMEOUT_MS = 300_000;
const MOST_BODY_BYTES = 32 << 20;
const SHOWN_CHARACTERS = 500;

/** A model behind an OpenAI-compatible server. */
export interface MeasuredEndpoint {
  /** With `/v1` at its end. */
  url: string;
  /** The model's name in requests. */
  model: string;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  /** Longest prompt and answer together; absent where it is not known. */
  contextTokens?: number;
  /** False where a request must not name the seed of its draws. */
  takesSeed?: boolean;
}

/** What tells one model from another, whatever it is called where it is served. */
export function identityOf({ model, baseHash, adapterHash }: MeasuredEndpoint): unknown {
  return baseHash === null ? [model] : [baseHash, adapterHash];
}

/**
 * Asks and returns the answer's first choice as the schema has it.
 * Throws: a failure of the boundary `endpoint`: `ENDPOINT_UNREACHABLE`, `ENDPOINT_REFUSED`, `MALFORMED_ANSWER`; the reason
 * of the signal where that was aborted.
 */
export async function askEndpoint<T>(
  { url, model }: MeasuredEndpoint,
  body: Record<string, unknown>,
  { choice, signal }: { choice: z.ZodType<T>; signal: AbortSignal },
): Promise<T> {
  const where = `${url.replace(/\/+$/, "")}/completions`;
  for (let count = 1; ; count++) {
    const outcome = await tryOnce(where, { model, ...body }, signal);
    if ("text" in outcome) return readChoice(outcome.text, { choice, where, model });
    if (!outcome.mayRecover || count === TRIES) {
      const { code, reason, cause } = outcome;
      throw new Failure({ boundary: "endpoint", code, message: `${where} as ${model}: ${reason}`, cause });
    }
    await sleep(waitBeforeTryMs(outcome.retryAfterMs, FIRST_WAIT_MS * 2 ** (count - 1)), undefined, { signal });
  }
}

interface FailedTry {
  code: string;
  reason: string;
  mayRecover: boolean;
  retryAfterMs: number | null;
  cause?: unknown;
}

async function tryOnce(where: string, body: object, signal: AbortSignal): Promise<{ text: string } | FailedTry> {
  try {
    const response = await fetch(where, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await boundedText(response, MOST_BODY_BYTES);
    if (response.status === 200) return { text };
    const { status } = response;
    const reason = `status ${status}: ${text.slice(0, SHOWN_CHARACTERS)}`;
    return {
      ...{ code: "ENDPOINT_REFUSED", reason },
      ...{ mayRecover: isPassing(status), retryAfterMs: retryAfterMs(response.headers) },
    };
  } catch (cause) {
    signal.throwIfAborted();
    const reason = (cause as Error).message;
    return { code: "ENDPOINT_UNREACHABLE", reason, mayRecover: true, retryAfterMs: null, cause };
  }
}

function readChoice<T>(
  text: string,
  { choice, where, model }: { choice: z.ZodType<T>; where: string; model: string },
): T {
  const read = z.object({ choices: z.array(choice).min(1) }).safeParse(jsonValue(text));
  if (read.success) return read.data.choices[0] as T;
  const message = `${where} as ${model}: ${z.prettifyError(read.error).slice(0, SHOWN_CHARACTERS)}`;
  throw new Failure({ boundary: "endpoint", code: "MALFORMED_ANSWER", message });
}
