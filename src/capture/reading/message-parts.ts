/**
 * Builds messages in the shape of OpenAI's chat from the parts that other programs keep them in.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import type { JsonObject } from "./shapes.ts";

export interface AnswerParts {
  /** As `contentOf` gives it. */
  content: string | JsonObject[];
  /** What the model thought before it answered; empty where nothing of it was kept. */
  reasoning: string;
  calls: readonly JsonObject[];
}

/** A model's answer. */
export function assistantMessage({ content, reasoning, calls }: AnswerParts): RecordedMessage {
  return {
    role: "assistant",
    content: content.length === 0 && calls.length > 0 ? null : content,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: [...calls] }),
  };
}

/** A tool call; arguments that are no text are written as JSON. */
export function toolCall(id: string | null, name: string, given: Json | undefined): JsonObject {
  const called = { name, arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}) };
  return { ...(id !== null && { id }), type: "function", function: called };
}

/** A tool as its name, description and schema. */
export function functionTool(name: string, description: string | null, parameters: Json | undefined): RecordedTool {
  const described = description !== null && { description };
  const withSchema = parameters !== undefined && parameters !== null && { parameters };
  return { type: "function", function: { name, ...described, ...withSchema } };
}

/** The texts of parts as one text, or the parts as they are where one of them is no text. */
export function contentOf(parts: readonly JsonObject[], separator = ""): string | JsonObject[] {
  return parts.every(({ type, text }) => type === "text" && typeof text === "string")
    ? parts.map(({ text }) => text as string).join(separator)
    : [...parts];
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  stop: "stop",
  tool_use: "tool_calls",
  toolUse: "tool_calls",
  tool_calls: "tool_calls",
  max_tokens: "length",
  model_length: "length",
  length: "length",
  refusal: "content_filter",
  content_filter: "content_filter",
};

/** Why an answer ended, as OpenAI's chat calls it; one that it has no name for stays as it is. */
export function finishReasonOf(reason: string | null): string | null {
  return reason !== null && Object.hasOwn(FINISH_REASONS, reason) ? (FINISH_REASONS[reason] as string) : reason;
}
