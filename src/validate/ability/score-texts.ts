/**
 * How likely a model finds given texts. Each is rendered here, so that both arms score the very same tokens, and scored by
 * a prompt of token ids whose log-probabilities the endpoint tells (`echo`), as the canary's are.
 */
import { z } from "zod";
import { assert, Failure } from "../../foundation/errors.ts";
import { hashJson } from "../../foundation/hashing.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { GeneralText, Opening } from "../general-set.ts";
import { askEndpoint, identityOf, type MeasuredEndpoint } from "./ask-endpoint.ts";
import { type AskingOptions, askInTurn, type Question } from "./in-turn.ts";
import type { Missing, TextScore } from "./measure.ts";

const scoreSchema = z.object({ logprob: z.number(), tokens: z.int().min(1) });
const scoredSchema = z.object({
  logprobs: z.object({ token_logprobs: z.array(z.number().nullable()) }),
});

export interface Scored {
  /** By the texts' ids. */
  scores: Map<string, TextScore>;
  /** Texts that cannot be scored there, by either arm. */
  missing: Missing[];
}

/**
 * Scores texts at an endpoint.
 * Throws: a failure of the boundary `endpoint`; with a `file` the next call goes on from there.
 */
export async function scoreTexts(
  endpoint: MeasuredEndpoint,
  texts: readonly Pick<GeneralText, "id" | "context" | "opening" | "continuation">[],
  { renderer, ...options }: AskingOptions & { renderer: Renderer },
): Promise<Scored> {
  const missing: Missing[] = [];
  const questions = texts.flatMap((text): Question<TextScore>[] => {
    const before = openingIds(text, renderer);
    const scored = renderer.encode(text.continuation);
    const reason = whyNot(before.length, scored.length, endpoint);
    if (reason !== null) missing.push({ id: text.id, reason });
    if (reason !== null) return [];
    const ids = [...before, ...scored];
    const key = hashJson(["score", identityOf(endpoint), before.length, ids]);
    return [
      {
        id: text.id,
        key,
        beginning: hashJson(before),
        ask: (signal) => score(endpoint, { ids, from: before.length, signal }),
      },
    ];
  });
  return { scores: await askInTurn(questions, scoreSchema, options), missing };
}

/** The ids that stand before what a model is to say. */
export function openingIds({ context, opening }: Pick<Opening, "context" | "opening">, renderer: Renderer): number[] {
  const given = typeof context === "string" ? renderer.encode(context) : renderer.prompt(context, null).ids;
  return [...given, ...renderer.encode(opening)];
}

/** Why a text cannot be scored; null where it can. */
function whyNot(before: number, scored: number, { contextTokens }: MeasuredEndpoint): string | null {
  if (before === 0) return "nothing stands before it, so its first token has no likelihood";
  if (scored === 0) return "it has no tokens";
  const tokens = before + scored;
  if (contextTokens === undefined || tokens <= contextTokens) return null;
  return `it has ${tokens} tokens, more than the context of ${contextTokens}`;
}

async function score(
  endpoint: MeasuredEndpoint,
  { ids, from, signal }: { ids: number[]; from: number; signal: AbortSignal },
): Promise<TextScore> {
  const body = { prompt: ids, echo: true, echo_logprobs_from: from, logprobs: 0, max_tokens: 0, temperature: 0 };
  const { logprobs } = await askEndpoint(endpoint, body, { choice: scoredSchema, signal });
  const told = logprobs.token_logprobs.slice(from);
  if (logprobs.token_logprobs.length !== ids.length || told.some((value) => value === null)) {
    throw new Failure({
      boundary: "endpoint",
      code: "NO_PROMPT_SCORES",
      message: `${endpoint.url} as ${endpoint.model}: ${told.length} log-probabilities for ${ids.length - from} tokens`,
    });
  }
  assert(told.length > 0, "a text without tokens was sent to be scored");
  return { logprob: told.reduce<number>((sum, value) => sum + (value as number), 0), tokens: told.length };
}
