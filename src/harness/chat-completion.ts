/**
 * One chat completion over HTTP: what is sent, and what of the answer is believed.
 * The server is not trusted: the body is bounded, its shape checked, redirects are not followed (they could lead off
 * the host). Knows nothing of runs, logs or retries: it tries once and says what came.
 */
import { z } from "zod";
import { boundedText } from "../foundation/bounded-text.ts";
import type { Json } from "../foundation/canonical-json.ts";
import { isPassing, retryAfterMs } from "../foundation/passing-status.ts";
import { type Message, messageSchema, type Tool } from "../records/message.ts";
import { type Endpoint, reasonOf, urlOf } from "./endpoint.ts";

const MOST_BODY_BYTES = 32 << 20;
const MOST_REASON_CHARACTERS = 2000;

export interface Completion {
  answer: Message;
  finishReason: string | null;
  usage: { promptTokens: number; completionTokens: number } | null;
  modelAnswered: string | null;
}

/** Why a try gave no completion. `next`: try again, give the call up, or never send this very request again. */
export interface FailedTry {
  code: string;
  reason: string;
  next: "retry" | "give-up" | "reject";
  retryAfterMs: number | null;
}

const tokens = z.int().min(0);

const completionSchema = z.looseObject({
  model: z.string().nullish(),
  choices: z
    .array(z.looseObject({ message: z.preprocess(withoutNulls, messageSchema), finish_reason: z.string().nullish() }))
    .min(1),
  usage: z.looseObject({ prompt_tokens: tokens, completion_tokens: tokens }).nullish(),
});

/** Many servers write `null` for what is absent; the record leaves such keys out, and keeps `content` in any case. */
function withoutNulls(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return message;
  const present = Object.entries(message).filter(([, value]) => value !== null);
  return { content: null, ...Object.fromEntries(present) };
}

/**
 * Sends one request and reads its answer.
 * Throws: only the reason of `signal`, where that was aborted.
 */
export async function tryCompletion(options: {
  endpoint: Endpoint;
  request: Record<string, Json>;
  messages: Message[];
  tools: Tool[] | null;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<Completion | FailedTry> {
  const { endpoint, request, messages, tools, timeoutMs, signal } = options;
  try {
    const response = await fetch(urlOf(endpoint, "chat/completions"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...request, messages, ...(tools !== null && { tools }) }),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const body = await boundedText(response, MOST_BODY_BYTES);
    return response.status === 200 ? readCompletion(body) : statusFailure(response, body);
  } catch (error) {
    signal.throwIfAborted();
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    return isTimeout
      ? failedTry("TIMEOUT", `no answer within ${timeoutMs} ms`)
      : failedTry("CONNECTION", reasonOf(error));
  }
}

function readCompletion(body: string): Completion | FailedTry {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return failedTry("MALFORMED_ANSWER", `the answer is not JSON: ${body}`);
  }
  const read = completionSchema.safeParse(value);
  if (!read.success) return failedTry("MALFORMED_ANSWER", z.prettifyError(read.error));
  const { choices, usage, model } = read.data;
  const [choice] = choices;
  if (choice?.message.role !== "assistant") return failedTry("MALFORMED_ANSWER", "the answer is not the assistant's");
  return {
    answer: choice.message,
    finishReason: choice.finish_reason ?? null,
    usage: usage ? { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } : null,
    modelAnswered: model ?? null,
  };
}

/** A busy or broken server may recover; a refused request will be refused again; any other status is not about this request. */
function statusFailure(response: Response, body: string): FailedTry {
  const { status } = response;
  const isRefused = status === 400 || status === 413 || status === 422;
  return {
    ...failedTry(`HTTP_${status}`, body),
    next: isPassing(status) ? "retry" : isRefused ? "reject" : "give-up",
    retryAfterMs: retryAfterMs(response.headers),
  };
}

function failedTry(code: string, reason: string): FailedTry {
  return { code, reason: reason.slice(0, MOST_REASON_CHARACTERS), next: "retry", retryAfterMs: null };
}
