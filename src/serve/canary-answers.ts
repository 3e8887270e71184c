/**
 * What the canary asks an endpoint: the scores of a probe, and short answers to the beginnings of probes, from each model alone and
 * then from all at the same time. These are answers, not scores, as some engines die of a prompt that is scored beside
 * anything else. Does not judge what comes.
 */
import { z } from "zod";
import { Failure } from "../foundation/errors.ts";
import { inOrder } from "../foundation/in-order.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { meanOf } from "../foundation/sums.ts";
import type { Probes } from "../records/adapter-manifest.ts";

const TOO_MANY_REQUESTS = 429;
const NOT_IMPLEMENTED = 501;
/** Of a server that cannot score a prompt: it says so of the request, or has nothing at this path. */
const NO_SCORES = new Set([400, 404, 405, 422, NOT_IMPLEMENTED]);
/** How servers say that a prompt has no room. */
const TOO_LONG = /(context|model)[ _]length/i;
/** So few that it costs little beside the scores; a mix-up shows in each answer that shares a batch with another model's. */
const PROBES_TOGETHER = 3;
const TOKENS_TOGETHER = 4;

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        logprobs: z.object({
          tokens: z.array(z.string()).default([]),
          token_logprobs: z.array(z.number().nullable()),
          top_logprobs: z.array(z.record(z.string(), z.number().nullable()).nullable()).nullish(),
        }),
      }),
    )
    .min(1),
});

interface Asked {
  url: string;
  model: string;
  ids: readonly number[];
  signal: AbortSignal | null;
}

/**
 * Returns the log-probability of each id but the first.
 * Throws: a failure of the boundary `endpoint`; `NO_PROMPT_SCORES` where the server cannot score prompts.
 */
export async function scoresOf(asked: Asked): Promise<number[]> {
  const { token_logprobs } = await completed(asked, { echo: true, max_tokens: 0, logprobs: 0 }, codeOfUnscored);
  const scores = token_logprobs.slice(1);
  const { length } = asked.ids;
  if (scores.length === length - 1 && !scores.includes(null)) return scores as number[];
  const message = `${scores.length} log-probabilities for ${length} tokens`;
  throw failed(asked, { code: "NO_PROMPT_SCORES", message });
}

/**
 * Returns the largest difference between an answer at the same time as others' and the same one alone.
 * Units: the mean absolute difference of natural log-probabilities of the likeliest tokens, up to the first that is another,
 * or, where that is larger, how much likelier than the next the likeliest token was there; infinite where only one of the two says
 * anything. Throws: a failure of the boundary `endpoint`; `NO_ANSWERS` where no answer says anything, as silence is the same
 * whoever keeps it.
 */
export async function answersTogether(
  { url, models, signal }: { url: string; models: readonly string[]; signal: AbortSignal | null },
  { probes }: Probes,
): Promise<number> {
  const beginnings = probes.slice(0, PROBES_TOGETHER).map(({ ids }) => ids.slice(0, Math.ceil(ids.length / 2)));
  const asked = beginnings.flatMap((ids) => models.map((model) => ({ url, model, ids, signal })));
  const alone = await inOrder(asked, answerOf);
  const [first] = asked;
  if (first !== undefined && alone.every(({ length }) => length === 0)) {
    throw failed(first, { code: "NO_ANSWERS", message: "every answer is empty, so that a mix-up would not show" });
  }
  const together = await Promise.all(asked.map(answerOf));
  return Math.max(...alone.map((answer, i) => distance(answer, together[i] ?? [])));
}

/** Units: natural log-probabilities. */
interface Token {
  text: string;
  logprob: number;
  /** How much likelier it is than the next likeliest. */
  lead: number;
}

async function answerOf(asked: Asked): Promise<Token[]> {
  const likeliest = { max_tokens: TOKENS_TOGETHER, logprobs: 2 };
  const { tokens, token_logprobs, top_logprobs } = await completed(asked, likeliest);
  return token_logprobs.map((told, i) => {
    const [text, logprob] = [tokens[i] ?? "", told ?? 0];
    const others = Object.entries(top_logprobs?.[i] ?? {}).filter(([other]) => other !== text);
    // Where no other is told: the most that this one leaves for another.
    const most = Math.log(Math.max(0, 1 - Math.exp(logprob)));
    const next = others.length === 0 ? most : Math.max(...others.map(([, other]) => other ?? Number.NEGATIVE_INFINITY));
    return { text, logprob, lead: logprob - next };
  });
}

/**
 * Of two tokens that are as likely either may be drawn, or an answer may end; what follows then says nothing. Two that are not
 * are told by their lead alone: of different tokens, two models may be equally sure.
 */
function distance(one: readonly Token[], other: readonly Token[]): number {
  const length = Math.min(one.length, other.length);
  if (length === 0) return one.length === other.length ? 0 : Number.POSITIVE_INFINITY;
  const both = one.slice(0, length);
  const first = both.findIndex(({ text }, i) => text !== other[i]?.text);
  const parted = first === -1 ? length : first;
  const leads = [one, other].map((answer) => answer[parted]?.lead ?? 0);
  const moved = meanOf(both.slice(0, parted + 1), ({ logprob }, i) => Math.abs(logprob - (other[i]?.logprob ?? 0)));
  return Math.max(moved, ...leads);
}

async function completed(asked: Asked, more: object, codeOf = codeOfRefused) {
  const { url, model, ids, signal } = asked;
  const response = await fetch(`${url}/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, prompt: ids, temperature: 0, ...more }),
    signal,
  }).catch((cause: Error) => {
    throw failed(asked, { code: "ENDPOINT_UNREACHABLE", message: cause.message, cause });
  });
  const text = await response.text();
  const { status } = response;
  if (!response.ok) {
    throw failed(asked, { code: codeOf({ status, text, model }), message: `status ${status}: ${text.slice(0, 500)}` });
  }
  const [choice] = completionSchema.safeParse(jsonValue(text)).data?.choices ?? [];
  if (choice !== undefined) return choice.logprobs;
  throw failed(asked, { code: "NO_PROMPT_SCORES", message: "the answer has no log-probabilities" });
}

interface Refused {
  status: number;
  text: string;
  model: string;
}

/** A server that fails, or has no room now, is told apart from one that refuses. */
function codeOfRefused({ status }: Refused): string {
  const isPassing = status === TOO_MANY_REQUESTS || (status >= 500 && status !== NOT_IMPLEMENTED);
  return isPassing ? "ENDPOINT_FAILED" : "ENDPOINT_REFUSED";
}

/** What is said of the model, of the prompt's length or of who asks does not tell what the server can score. */
function codeOfUnscored(refused: Refused): string {
  const { status, text, model } = refused;
  const isOfScores = NO_SCORES.has(status) && !text.includes(model) && !TOO_LONG.test(text);
  return isOfScores ? "NO_PROMPT_SCORES" : codeOfRefused(refused);
}

function failed({ url, model }: Asked, { message, ...why }: { code: string; message: string; cause?: Error }): Failure {
  return new Failure({ boundary: "endpoint", ...why, message: `${url}/completions as ${model}: ${message}` });
}
