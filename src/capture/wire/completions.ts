/**
 * Text completions: the prompt is one text and no conversation. It is recorded as a user's message, as a record has
 * no other place for it; `wire.api` says that no chat template was applied to it. Of a call of several prompts each is a
 * message, and neither they nor the first one's answer are what was said at once.
 */
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { addChoice, choiceAnswer, hasError, type Wire } from "./body.ts";
import { joinChunks } from "./chat.ts";

/** What is missing of a call of several prompts. */
const SEVERAL: readonly TurnPart[] = ["prompt", "answer"];

export const completions: Wire = {
  readCall(body) {
    const { prompt, ...request } = body;
    const messages = messagesOf(prompt);
    if (messages === null) return null;
    return {
      api: "completions",
      messages,
      tools: null,
      request,
      isStream: body.stream === true,
      previousResponse: null,
      ownMessages: 0,
      missing: messages.length > 1 ? SEVERAL : [],
    };
  },

  readAnswer: (body) =>
    choiceAnswer(body, ({ text, ...rest }) =>
      typeof text === "string" ? { message: { role: "assistant", content: text }, rest } : null,
    ),

  isError: hasError,
  saysDone: true,

  openStream(choices) {
    return joinChunks({ choices, whole: "text_completion", addChoice });
  },
};

/** A prompt is a text, a list of token ids, or a list of either. */
function messagesOf(prompt: unknown): RecordedMessage[] | null {
  if (typeof prompt === "string") return [{ role: "user", content: prompt }];
  if (!Array.isArray(prompt) || prompt.length === 0) return null;
  if (prompt.every((id) => typeof id === "number")) return [{ role: "user", content: null, token_ids: prompt }];
  const each = prompt.map((one) => messagesOf(one)?.[0]);
  return each.every((message) => message !== undefined) ? each : null;
}
