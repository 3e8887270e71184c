/**
 * OpenAI's response bodies, whole and in chunks, for chat and for plain completions. Pure.
 */
import type { Piece, ScoredToken } from "./answer.ts";

/** How one kind of endpoint words its answers. */
export interface Wording {
  idPrefix: string;
  whole: string;
  chunk: string;
  /** `start` is the length of the text that went out before, in UTF-16 code units. */
  choice(index: number, piece: Piece, decode: Decode): object;
  /** `isFirst`: nothing of this choice went out before. */
  delta(index: number, piece: Piece, at: { isFirst: boolean; decode: Decode }): object;
}

export type Decode = (id: number) => string;

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export const chatWording: Wording = {
  idPrefix: "chatcmpl",
  whole: "chat.completion",
  chunk: "chat.completion.chunk",
  choice: (index, piece, decode) => ({
    index,
    message: { role: "assistant", content: piece.text, refusal: null },
    logprobs: chatLogprobs(piece.tokens, decode),
    finish_reason: piece.finishReason,
  }),
  delta: (index, piece, { isFirst, decode }) => ({
    index,
    delta: { ...(isFirst && { role: "assistant" }), ...((isFirst || piece.text !== "") && { content: piece.text }) },
    logprobs: chatLogprobs(piece.tokens, decode),
    finish_reason: piece.finishReason,
  }),
};

export const textWording: Wording = {
  idPrefix: "cmpl",
  whole: "text_completion",
  chunk: "text_completion",
  choice: textChoice,
  delta: (index, piece, { decode }) => textChoice(index, piece, decode),
};

/** Builds the usage of one answer. Units: tokens. */
export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function textChoice(index: number, piece: Piece, decode: Decode): object {
  return {
    index,
    text: piece.text,
    logprobs: textLogprobs(piece.tokens, decode),
    finish_reason: piece.finishReason,
  };
}

function chatLogprobs(tokens: ScoredToken[] | null, decode: Decode): object | null {
  if (tokens === null) return null;
  const entry = (id: number, logprob: number) => {
    const token = decode(id);
    return { token, logprob, bytes: [...Buffer.from(token)] };
  };
  const content = tokens.map(({ id, score }) => ({
    ...entry(id, score?.logprob ?? 0),
    top_logprobs: (score?.top ?? []).map((other) => entry(other.id, other.logprob)),
  }));
  return { content, refusal: null };
}

function textLogprobs(tokens: ScoredToken[] | null, decode: Decode): object | null {
  if (tokens === null) return null;
  const texts = tokens.map(({ id }) => decode(id));
  let offset = 0;
  return {
    tokens: texts,
    token_logprobs: tokens.map(({ score }) => score?.logprob ?? null),
    top_logprobs: tokens.map(({ score }) =>
      score === null ? null : Object.fromEntries(score.top.map((other) => [decode(other.id), other.logprob])),
    ),
    text_offset: texts.map((text) => {
      const start = offset;
      offset += text.length;
      return start;
    }),
  };
}
