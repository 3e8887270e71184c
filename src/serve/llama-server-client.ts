/**
 * llama.cpp's own server over HTTP: token ids in, token ids and log-probabilities out.
 *
 * Every request names the scale of every adapter. One that names none is given the server's global scales and keeps the
 * state that its slot has, which may have been evaluated with another request's adapter.
 * Source: llama.cpp, tools/server (README and server-context.cpp).
 */
import { z } from "zod";
import { Failure } from "../foundation/errors.ts";
import type { Generation, TokenScore } from "./generation.ts";

/** Above any difference of logits: the token that has it is drawn, and its probability is told as if it had none. */
const FORCING_BIAS = 10_000;

const tokenSchema = z.looseObject({ id: z.int(), logprob: z.number().nullable() });
const completionSchema = z.looseObject({
  tokens: z.array(z.int()).default([]),
  stop_type: z.string().default("none"),
  tokens_evaluated: z.int().min(0).default(0),
  completion_probabilities: z.array(tokenSchema.extend({ top_logprobs: z.array(tokenSchema).default([]) })).default([]),
});

export type Completion = z.infer<typeof completionSchema>;

export interface LlamaServer {
  /** Without a path. */
  url: string;
  /** The number of each served adapter at the server, by its model's id; the base has none. */
  adapterNumbers: ReadonlyMap<string, number>;
  /** How many adapters the server has, served here or not. */
  adapters: number;
  vocabularySize: number;
}

/** Which adapters a request is answered with. */
function scales({ adapterNumbers, adapters }: LlamaServer, model: string): { id: number; scale: number }[] {
  const own = adapterNumbers.get(model);
  return Array.from({ length: adapters }, (_, id) => ({ id, scale: id === own ? 1 : 0 }));
}

/** The ids of one answer; a stop id that ended it is among them. */
export async function completed(server: LlamaServer, asked: Generation): Promise<number[]> {
  const { prompt, maxTokens, temperature, topP, seed, stopIds, grammar, signal } = asked;
  const { tokens, stop_type } = await post(server, signal, {
    prompt,
    n_predict: maxTokens,
    lora: scales(server, asked.model),
    temperature,
    ...{ top_k: 0, top_p: topP, min_p: 0, typical_p: 1, repeat_penalty: 1, samplers: ["top_p", "temperature"] },
    seed,
    ...(grammar !== null && { grammar }),
    ...{ cache_prompt: true, return_tokens: true },
  });
  const stopAt = tokens.findIndex((id) => stopIds.includes(id));
  if (stopAt >= 0) return tokens.slice(0, stopAt + 1);
  return stop_type === "eos" && stopIds[0] !== undefined ? [...tokens, stopIds[0]] : tokens;
}

/**
 * Scores `ids[at]` after all before it. The server scores no prompts, but tells the probability of a token that it draws,
 * so it is made to draw this one. Nothing is told of a token that ends within a character: its probability is then looked
 * up among those of the whole vocabulary, told beside another token, `plain`.
 */
export async function scoreAt(
  server: LlamaServer,
  {
    model,
    ids,
    at,
    top,
    signal,
    plain,
    slot,
  }: {
    model: string;
    ids: readonly number[];
    at: number;
    top: number;
    signal: AbortSignal;
    plain: readonly number[];
    slot: number;
  },
): Promise<TokenScore & { isPlain: boolean }> {
  const id = ids[at] as number;
  const prompt = ids.slice(0, at);
  const ask = async (forced: number, count: number) => {
    const answer = await post(server, signal, {
      ...{ prompt, n_predict: 1, n_probs: count, lora: scales(server, model), logit_bias: [[forced, FORCING_BIAS]] },
      ...{ temperature: 0, samplers: ["temperature"], seed: 0, cache_prompt: true, id_slot: slot },
    });
    return answer.completion_probabilities[0] ?? null;
  };
  const told = await ask(id, Math.max(1, top));
  if (told?.id === id) return { ...scored(told.logprob, told.top_logprobs, top), isPlain: true };
  for (const other of plain) {
    const all = await ask(other, server.vocabularySize);
    const found = all?.top_logprobs.find((token) => token.id === id);
    if (all != null && found !== undefined) return { ...scored(found.logprob, all.top_logprobs, top), isPlain: false };
  }
  throw failed(server, "NO_PROMPT_SCORES", `nothing is told of token ${id}`);
}

/** The server writes null for what is less likely than its numbers hold. */
function scored(logprob: number | null, told: { id: number; logprob: number | null }[], top: number): TokenScore {
  const sound = (value: number | null) => value ?? Number.NEGATIVE_INFINITY;
  return {
    logprob: sound(logprob),
    top: told.slice(0, top).map((token) => ({ id: token.id, logprob: sound(token.logprob) })),
  };
}

async function post(server: LlamaServer, signal: AbortSignal, body: object): Promise<Completion> {
  const response = await fetch(`${server.url}/completion`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  }).catch((cause: Error) => {
    signal.throwIfAborted();
    throw failed(server, "ENDPOINT_UNREACHABLE", cause.message, cause);
  });
  const text = await response.text();
  if (!response.ok) throw failed(server, "ENDPOINT_REFUSED", `status ${response.status}: ${text.slice(0, 500)}`);
  const read = completionSchema.safeParse(JSON.parse(text));
  if (!read.success) throw failed(server, "MALFORMED_ANSWER", z.prettifyError(read.error));
  return read.data;
}

function failed({ url }: LlamaServer, code: string, reason: string, cause?: unknown): Failure {
  return new Failure({ boundary: "endpoint", code, message: `${url}/completion: ${reason}`, cause });
}
