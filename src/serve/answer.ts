/**
 * One answer to one prompt: ids from the target, made text, cut at the stop strings, scored where that is asked for.
 * Does not know of HTTP or of the shape that an answer is sent in.
 */
import type { Renderer } from "../render/renderer.ts";
import { textStream } from "../render/text-stream.ts";
import type { TokenScore } from "./generation.ts";
import type { Ask } from "./request.ts";
import { stopText } from "./stop-text.ts";
import type { Target } from "./target.ts";

export interface ScoredToken {
  id: number;
  /** null for the very first token, which nothing stands before, and for those of an echo that are not to be scored. */
  score: TokenScore | null;
}

export interface Piece {
  text: string;
  /** Set on the last piece only. */
  finishReason: "stop" | "length" | null;
  /** On the last piece, where log-probabilities are asked for. */
  tokens: ScoredToken[] | null;
  /** Tokens generated so far, the one that ends the answer among them. */
  completionTokens: number;
}

export type Answering = Pick<Ask, "model" | "temperature" | "topP" | "stops" | "topLogprobs" | "grammar"> & {
  prompt: readonly number[];
  maxTokens: number;
  seed: number;
  /** Whether the prompt is part of the text and of the scores. */
  isEcho: boolean;
  /** The first token of an echo that is scored. */
  echoFrom: number;
  signal: AbortSignal;
};

/** Yields the answer in pieces; the last has a finish reason. Ends without one where the signal is aborted. */
export async function* answer(asked: Answering, target: Target, renderer: Renderer): AsyncGenerator<Piece> {
  const { prompt, isEcho, signal } = asked;
  const ids: number[] = [];
  const stream = textStream(renderer);
  const stop = stopText(asked.stops);
  let isStopped = false;
  let held = isEcho ? renderer.decode(prompt, { skipSpecial: true }) : "";

  if (asked.maxTokens > 0) {
    for await (const id of target.generate({ ...asked, stopIds: renderer.stopIds })) {
      ids.push(id);
      const isLast = renderer.stopIds.includes(id);
      const met = stop.push(isLast ? stream.end() : stream.push(id));
      held += met.text;
      isStopped = isLast || met.isStopped;
      if (isStopped) break;
      // Scores come when all is generated, and text and scores go out together.
      if (held === "" || asked.topLogprobs !== null) continue;
      yield { text: held, finishReason: null, tokens: null, completionTokens: ids.length };
      held = "";
    }
  }
  if (signal.aborted) return;
  const isCut = isStopped && !renderer.stopIds.includes(ids.at(-1) ?? -1);
  const rest = isCut ? "" : stop.push(stream.end()).text + stop.end();
  yield {
    text: held + rest,
    finishReason: isStopped ? "stop" : "length",
    tokens: await scores(asked, ids, { target, renderer }),
    completionTokens: ids.length,
  };
}

async function scores(
  { model, prompt, topLogprobs, isEcho, echoFrom, signal }: Answering,
  ids: number[],
  { target, renderer }: { target: Target; renderer: Renderer },
): Promise<ScoredToken[] | null> {
  if (topLogprobs === null) return null;
  const shown = ids.filter((id) => !renderer.stopIds.includes(id));
  const all = [...prompt, ...shown];
  const from = Math.max(isEcho ? Math.min(echoFrom, prompt.length) : prompt.length, 1);
  const scored = all.length > from ? await target.score({ model, ids: all, from, top: topLogprobs, signal }) : [];
  const before = isEcho ? all.slice(0, from).map((id) => ({ id, score: null })) : [];
  return [...before, ...scored.map((score, i) => ({ id: all[from + i] as number, score }))];
}
