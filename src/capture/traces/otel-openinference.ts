/**
 * OpenInference: messages and tools as flattened lists, and where there are none the request's and the answer's own
 * bodies (`input.value`, `output.value`).
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { isObject, type JsonObject, textIn } from "../reading/shapes.ts";
import { WIRES } from "../wire/index.ts";
import { chatMessages } from "./chat-messages.ts";
import { toldTools } from "./chat-tools.ts";
import { flatList, structured } from "./otel-attributes.ts";
import type { Span } from "./otel-spans.ts";
import type { CallTexts } from "./trace-steps.ts";

/** Says what OpenInference's attributes of a span hold of a call. */
export function openInference(span: Span): Partial<CallTexts> {
  const { attributes } = span;
  const input = flatList(attributes, "llm.input_messages");
  const output = flatList(attributes, "llm.output_messages");
  const { tools, clipped } = toldTools(
    flatList(attributes, "llm.tools").map((tool) => tool.get("tool.json_schema") ?? null),
  );
  const isCall = attributes.get("openinference.span.kind") === "LLM";
  const isThere = input.length + output.length > 0;
  const [texts, completions] = [flatTexts(span, "llm.prompts", "prompt"), flatTexts(span, "llm.choices", "completion")];
  return {
    prompt: flatMessages(input, "user") ?? asMessages(texts, "user") ?? (isCall ? bodyPrompt(span) : null),
    answers:
      flatMessages(output, "assistant") ?? asMessages(completions, "assistant") ?? (isCall ? bodyAnswer(span) : null),
    tools,
    tellsTools: input.length > 0,
    clipped: span.isClipped && isThere ? ["prompt", "answer", "tools"] : clipped,
  };
}

function flatMessages(entries: readonly Map<string, Json>[], fallbackRole: string): RecordedMessage[] | null {
  return entries.length > 0 ? chatMessages(entries.map((entry) => flatMessage(entry, fallbackRole))) : null;
}

function flatMessage(entry: ReadonlyMap<string, Json>, fallbackRole: string): JsonObject {
  const contents = flatList(entry, "message.contents").map((part) => flatPart(part));
  const name = entry.get("message.name") ?? null;
  const calls = flatList(entry, "message.tool_calls").map((call) => ({
    id: call.get("tool_call.id") ?? null,
    name: call.get("tool_call.function.name") ?? null,
    arguments: call.get("tool_call.function.arguments") ?? null,
  }));
  const oldName = entry.get("message.function_call_name");
  const oldCall = { name: oldName ?? null, arguments: entry.get("message.function_call_arguments_json") ?? null };
  const content = entry.get("message.content") ?? null;
  return {
    role: textIn(entry.get("message.role")) ?? fallbackRole,
    content: contents.length > 0 ? [...(content === null ? [] : [content]), ...contents] : content,
    name,
    tool_call_id: entry.get("message.tool_call_id") ?? null,
    tool_calls: oldName === undefined ? calls : [...calls, oldCall],
  };
}

/** A part has its kind, and a text or whatever its kind has, below `message_content`. */
function flatPart(part: ReadonlyMap<string, Json>): JsonObject {
  return Object.fromEntries([...part].map(([key, value]) => [key.replace(/^message_content\./, ""), value]));
}

function flatTexts({ attributes }: Span, list: string, entry: string): string[] {
  return flatList(attributes, list).flatMap((one) => textIn(one.get(`${entry}.text`)) ?? []);
}

function asMessages(texts: readonly string[], role: string): RecordedMessage[] | null {
  return texts.length > 0 ? texts.map((content) => ({ role, content })) : null;
}

/** The request as it was sent, where it is one of OpenAI's; a plain text is the only message. */
function bodyPrompt({ attributes }: Span): RecordedMessage[] | null {
  const { value } = structured(attributes.get("input.value"));
  if (typeof value === "string") return value === "" ? null : [{ role: "user", content: value }];
  return isObject(value) && Array.isArray(value.messages) ? chatMessages(value.messages) : null;
}

function bodyAnswer({ attributes }: Span): RecordedMessage[] | null {
  const { value } = structured(attributes.get("output.value"));
  if (typeof value === "string") return value === "" ? null : [{ role: "assistant", content: value }];
  if (!isObject(value)) return null;
  const answer = WIRES.chat.readAnswer(value) ?? WIRES.responses.readAnswer(value);
  return answer === null ? null : [answer.message];
}
