/**
 * Chat completions: messages are the protocol's own, and a stream's deltas add up to one.
 */
import type { RecordedMessage } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn } from "../reading/shapes.ts";
import {
  addChoice,
  addDelta,
  choiceAnswer,
  hasError,
  type StreamJoin,
  toolsIn,
  type Wire,
  withoutNulls,
} from "./body.ts";

export const chat: Wire = {
  readCall(body) {
    const messages = objectsIn(body.messages);
    const isWhole = Array.isArray(body.messages) && messages.length === body.messages.length && messages.length > 0;
    if (!isWhole || !messages.every(({ role }) => typeof role === "string")) return null;
    const tools = toolsIn(body.tools);
    const { messages: _, tools: given, ...request } = body;
    return {
      ...{
        api: "chat",
        messages: messages as RecordedMessage[],
        tools,
        ownMessages: 0,
        previousResponse: null,
        missing: [],
      },
      request: { ...request, ...(tools === null && given !== undefined && { tools: given }) },
      isStream: body.stream === true,
    };
  },

  readAnswer: (body) =>
    choiceAnswer(body, ({ message, ...rest }) =>
      isObject(message) ? { message: { role: "assistant", content: null, ...withoutNulls(message) }, rest } : null,
    ),

  isError: hasError,
  saysDone: true,

  openStream(choices) {
    const chunks = joinChunks({
      choices,
      whole: "chat.completion",
      addChoice(sum, { delta, ...rest }) {
        const message = isObject(sum.message) ? sum.message : {};
        sum.message = message;
        if (isObject(delta)) addMessage(message, delta);
        addChoice(sum, rest);
      },
    });
    return { take: chunks.take, body: () => withPlainCalls(chunks.body()) };
  },
};

/** A whole answer's calls have no `index`: their places say it. */
function withPlainCalls(body: JsonObject | null): JsonObject | null {
  if (body === null) return null;
  const choices = objectsIn(body.choices).map((choice) => {
    const message = isObject(choice.message) ? choice.message : {};
    if (!Array.isArray(message.tool_calls)) return choice;
    const calls = objectsIn(message.tool_calls).map(({ index: _, ...call }) => call);
    return { ...choice, message: { ...message, tool_calls: calls } };
  });
  return { ...body, choices };
}

/** The role comes in many servers' every delta. */
function addMessage(message: JsonObject, { role, ...delta }: JsonObject): void {
  if (typeof role === "string") message.role = role;
  addDelta(message, delta);
}

/** Puts chunks with `choices` together, each choice by its index. */
export function joinChunks(options: {
  choices: number;
  /** The `object` of a whole body. */
  whole: string;
  addChoice(sum: JsonObject, choice: JsonObject): void;
}): StreamJoin {
  const head: JsonObject = {};
  const sums = new Map<number, JsonObject>();
  const ended = new Set<number>();
  return {
    take(data) {
      const { choices, ...rest } = data;
      Object.assign(head, withoutNulls(rest));
      for (const { index = 0, ...choice } of objectsIn(choices)) {
        if (typeof index !== "number") continue;
        const sum = sums.get(index) ?? { index };
        sums.set(index, sum);
        options.addChoice(sum, withoutNulls(choice));
        // Some servers say an empty one of a choice that goes on.
        if (typeof choice.finish_reason === "string" && choice.finish_reason !== "") ended.add(index);
      }
      return ended.size >= options.choices;
    },
    body() {
      if (sums.size === 0) return null;
      const choices = [...sums].sort(([x], [y]) => x - y).map(([, sum]) => sum);
      return { ...head, object: options.whole, choices };
    },
  };
}
