/**
 * What a model answers to prompts: greedily, to be compared, or drawn at temperature 1, which is what an estimate of its
 * distance from another model is made of.
 */
import { z } from "zod";
import { hashJson } from "../../foundation/hashing.ts";
import { random } from "../../foundation/random.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { GeneralPrompt } from "../general-set.ts";
import { askEndpoint, identityOf, type MeasuredEndpoint } from "./ask-endpoint.ts";
import { type AskingOptions, askInTurn, type Question } from "./in-turn.ts";
import type { Answer, Missing } from "./measure.ts";
import { openingIds } from "./score-texts.ts";

const MOST_SEED = 2 ** 31 - 1;

const answerSchema = z.object({ text: z.string(), isCut: z.boolean() });
const choiceSchema = z.object({ text: z.string(), finish_reason: z.string().nullish() });

export interface Answered {
  /** By the prompts' ids. */
  answers: Map<string, Answer>;
  /** Prompts that leave no room for an answer. */
  missing: Missing[];
}

/**
 * Asks an endpoint. With a `seed` the answers are drawn at temperature 1 and no cut of the distribution; else greedy.
 * Throws: a failure of the boundary `endpoint`; with a `file` the next call goes on from there.
 */
export async function answerPrompts(
  endpoint: MeasuredEndpoint,
  prompts: readonly GeneralPrompt[],
  { renderer, seed = null, ...options }: AskingOptions & { renderer: Renderer; seed?: number | null },
): Promise<Answered> {
  const missing: Missing[] = [];
  const questions = prompts.flatMap((prompt): Question<Answer>[] => {
    const { id, maxTokens, stops } = prompt;
    const ids = openingIds(prompt, renderer);
    const room = endpoint.contextTokens ?? Number.POSITIVE_INFINITY;
    if (ids.length === 0 || ids.length + maxTokens > room) {
      missing.push({ id, reason: `${ids.length} tokens and ${maxTokens} of an answer do not fit ${room}` });
      return [];
    }
    const drawn = { temperature: 1, ...(endpoint.takesSeed !== false && { seed: seedOf(seed ?? 0, id) }) };
    const sampling = seed === null ? { temperature: 0 } : { top_p: 1, ...drawn };
    const body = { prompt: ids, max_tokens: maxTokens, ...sampling, ...(stops.length > 0 && { stop: stops }) };
    const key = hashJson(["answer", identityOf(endpoint), seed, body]);
    return [{ id, key, beginning: key, ask: (signal) => ask(endpoint, body, signal) }];
  });
  return { answers: await askInTurn(questions, answerSchema, options), missing };
}

function seedOf(seed: number, id: string): number {
  return random(seed, "answer", id).integer(0, MOST_SEED);
}

async function ask(endpoint: MeasuredEndpoint, body: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
  const { text, finish_reason } = await askEndpoint(endpoint, body, { choice: choiceSchema, signal });
  return { text, isCut: finish_reason === "length" };
}
