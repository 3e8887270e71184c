/**
 * The Vercel AI SDK's own attributes (`ai.*`): on a call as it went to the provider, and on the function around it.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn } from "../reading/shapes.ts";
import { chatMessages } from "./chat-messages.ts";
import { toldTools } from "./chat-tools.ts";
import { firstText, structured } from "./otel-attributes.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import type { CallTexts } from "./trace-steps.ts";

/** Says what the SDK's own attributes of a span hold of a call. */
export function vercel({ attributes }: Span): Partial<CallTexts> {
  const messages = structured(attributes.get("ai.prompt.messages"));
  const whole = structured(attributes.get("ai.prompt"));
  const calls = structured(attributes.get("ai.response.toolCalls") ?? attributes.get("ai.result.toolCalls"));
  const { tools, clipped } = toldTools(attributes.get("ai.prompt.tools"));
  const isClipped = messages.isClipped || whole.isClipped;
  return {
    prompt: chatMessages(messages.value ?? null) ?? wholePrompt(whole.value),
    answers: answerOf(attributes, objectsIn(calls.value)),
    tools,
    // Only the inner call has its tools beside its messages.
    tellsTools: messages.value !== undefined,
    finishReason: firstText(attributes, "ai.response.finishReason", "ai.finishReason"),
    clipped: [
      ...clipped,
      ...(isClipped ? (["prompt"] as const) : []),
      ...(calls.isClipped ? (["answer"] as const) : []),
    ],
  };
}

/** What the function was called with: messages or a prompt, and the system's text beside them. */
export function wholePrompt(value: Json | undefined): RecordedMessage[] | null {
  if (!isObject(value)) return null;
  const { system, prompt, messages } = value;
  const before: JsonObject[] = typeof system === "string" ? [{ role: "system", content: system }] : [];
  const asked = typeof prompt === "string" ? [{ role: "user", content: prompt }] : (prompt ?? messages);
  return Array.isArray(asked) && asked.length > 0 ? chatMessages([...before, ...asked]) : null;
}

function answerOf(attributes: Attributes, calls: readonly JsonObject[]): RecordedMessage[] | null {
  const text = firstText(attributes, "ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object");
  const reasoning = firstText(attributes, "ai.response.reasoning");
  const parts: JsonObject[] = [
    ...(reasoning === null ? [] : [{ type: "reasoning", text: reasoning }]),
    ...(text === null ? [] : [{ type: "text", text }]),
    ...calls.map((call) => ({ ...call, type: "tool-call" })),
  ];
  return parts.length > 0 ? chatMessages({ role: "assistant", content: parts }) : null;
}
