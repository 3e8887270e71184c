/**
 * Messages as other programs keep them, in the shape that OpenAI's chat has: parts of OpenTelemetry's GenAI conventions,
 * blocks of Anthropic's and Bedrock's, parts of the Vercel AI SDK and of Gemini. What is no text, call, result or
 * reasoning stays a part of the content as it came.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { parseJson } from "../reading/json.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";

const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  ai: "assistant",
  model: "assistant",
  developer: "system",
  function: "tool",
};
/** Keys that say something of the answer and are no part of the message. */
const NO_MESSAGE_KEYS = new Set(["role", "parts", "content", "tool_calls", "tool_call_id", "finish_reason", "index"]);

/** The messages of a list; null where it is none, or an entry has no role that could be told. */
export function chatMessages(value: unknown, fallbackRole: string | null = null): RecordedMessage[] | null {
  const given = Array.isArray(value) ? value : [value];
  const read = given.map((one) => (isObject(one) ? chatMessage(one, fallbackRole) : null));
  return read.length > 0 && read.every((messages) => messages !== null) ? read.flat() : null;
}

/** A message that holds the results of several calls becomes one of each. */
function chatMessage(message: JsonObject, fallbackRole: string | null): RecordedMessage[] | null {
  const named = textIn(message.role) ?? (Object.hasOwn(ROLES, String(message.type)) ? String(message.type) : null);
  const given = named ?? fallbackRole;
  if (given === null) return null;
  const parts = readParts(message.parts ?? message.content ?? null);
  // Some programs keep a call under the role of its result.
  const isCall = given === "tool" && parts.calls.length > 0 && parts.results.length === 0;
  const role = isCall ? "assistant" : Object.hasOwn(ROLES, given) ? (ROLES[given] as string) : given;
  const calls = callsIn(message.tool_calls);
  const callId = role === "tool" ? (textIn(message.tool_call_id) ?? textIn(message.id)) : null;
  const rest: JsonObject = Object.fromEntries(
    Object.entries(message).filter(
      ([key, value]) => value !== null && !NO_MESSAGE_KEYS.has(key) && !(key === "id" && callId !== null),
    ),
  );
  const said: RecordedMessage = {
    ...rest,
    role,
    content: parts.content,
    ...(parts.reasoning !== "" && { reasoning_content: parts.reasoning }),
    ...(calls.length + parts.calls.length > 0 && { tool_calls: [...calls, ...parts.calls] }),
    ...(callId !== null && { tool_call_id: callId }),
  };
  const isEmpty = parts.content === null && said.tool_calls === undefined && parts.reasoning === "";
  return parts.results.length > 0 && isEmpty ? parts.results : [...parts.results, said];
}

/** Several messages that are parts of one answer, as one. */
export function joinedAnswer(messages: readonly RecordedMessage[]): RecordedMessage {
  const [first, ...others] = messages;
  if (first !== undefined && others.length === 0) return { ...first, role: "assistant" };
  const contents = messages.flatMap(({ content }) => (content === null || content === undefined ? [] : [content]));
  const reasoning = messages.map(({ reasoning_content }) => textIn(reasoning_content) ?? "").join("");
  const calls = messages.flatMap(({ tool_calls }) => objectsIn(tool_calls));
  const areTexts = contents.every((content) => typeof content === "string");
  return {
    role: "assistant",
    content: contents.length === 0 ? null : areTexts ? contents.join("") : contents.flatMap(asParts),
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Content parts that a program wrote as text; the text itself where it holds anything else. */
export function partsInText(text: string): Json {
  if (!/^\s*\[\s*\{/.test(text)) return text;
  const read = parseJson(text);
  return "value" in read && Array.isArray(read.value) && read.value.every(isPart) ? read.value : text;
}

/** A model may itself answer with a list of objects, even with types: a part is one that says all that a part says. */
function isPart(part: Json): boolean {
  if (!isObject(part)) return false;
  if (callIn(part) !== null || resultIn(part) !== null || reasoningIn(part) !== null) return true;
  if (MEDIA_TYPE.test(String(part.type))) return Object.keys(part).length > 1;
  return Object.keys(part).every((key) => TEXT_PART_KEYS.has(key)) && partText(part) !== null;
}

const MEDIA_TYPE = /^(image|image_url|input_image|audio|input_audio|file|document)$/;
const TEXT_PART_KEYS = new Set(["type", "text", "content", "cache_control"]);

function asParts(content: unknown): unknown[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : [content].flat();
}

interface Parts {
  content: string | Json[] | null;
  reasoning: string;
  calls: JsonObject[];
  results: RecordedMessage[];
}

function readParts(content: Json): Parts {
  const parts: Parts = { content: null, reasoning: "", calls: [], results: [] };
  const kept: Json[] = [];
  const given = isObject(content) && Array.isArray(content.parts) ? content.parts : content;
  for (const part of given === null ? [] : [given].flat()) {
    const block = isObject(part) ? part : {};
    const call = callIn(block);
    const result = resultIn(block);
    const reasoning = reasoningIn(block);
    if (call !== null) parts.calls.push(call);
    else if (result !== null) parts.results.push(result);
    else if (reasoning !== null) parts.reasoning += reasoning;
    else kept.push(partText(part) ?? part);
  }
  const areTexts = kept.every((part) => typeof part === "string");
  const asBlocks = () => kept.map((part) => (typeof part === "string" ? { type: "text", text: part } : part));
  parts.content = kept.length === 0 ? null : areTexts ? kept.join("") : asBlocks();
  return parts;
}

/** The text of a part; null where it is of another kind. */
function partText(part: Json): string | null {
  if (typeof part === "string") return part;
  if (typeof part === "number" || typeof part === "boolean") return String(part);
  if (!isObject(part)) return null;
  const isText = part.type === undefined || part.type === "text" || /^(input|output)_text$/.test(String(part.type));
  return isText ? (textIn(part.text) ?? textIn(part.content)) : null;
}

function reasoningIn(part: JsonObject): string | null {
  const { type, reasoningContent } = part;
  if (isObject(reasoningContent)) {
    const { reasoningText } = reasoningContent;
    return textIn(isObject(reasoningText) ? reasoningText.text : null);
  }
  if (type !== "reasoning" && type !== "thinking") return null;
  return textIn(part.content) ?? textIn(part.text) ?? textIn(part.thinking);
}

/** Calls under OpenAI's own key, or under LangChain's names for its fields. */
function callsIn(calls: unknown): JsonObject[] {
  return objectsIn(calls).flatMap((call) => {
    const called = isObject(call.function) ? call.function : call;
    const name = textIn(called.name);
    if (name === null) return [];
    return [chatCall({ id: call.id, name, given: called.arguments ?? called.args })];
  });
}

function callIn(part: JsonObject): JsonObject | null {
  const { type, toolUse, functionCall } = part;
  if (isObject(toolUse)) return chatCall({ id: toolUse.toolUseId, name: toolUse.name, given: toolUse.input });
  if (isObject(functionCall)) {
    return chatCall({ id: functionCall.id, name: functionCall.name, given: functionCall.args });
  }
  if (type === "function" && isObject(part.function)) {
    return chatCall({ id: part.id, name: part.function.name, given: part.function.arguments });
  }
  if (type === "tool_call" || type === "tool_use") {
    return chatCall({ id: part.id, name: part.name, given: part.arguments ?? part.input });
  }
  if (type !== "tool-call") return null;
  return chatCall({ id: part.toolCallId, name: part.toolName, given: part.input ?? part.args });
}

/** A call as chat has it. */
export function chatCall(call: { id: Json | undefined; name: Json | undefined; given: Json | undefined }): JsonObject {
  const { id, name, given } = call;
  const text = typeof given === "string" ? given : JSON.stringify(given ?? {});
  const called = { name: textIn(name) ?? "", arguments: text };
  return { ...(typeof id === "string" && { id }), type: "function", function: called };
}

function resultIn(part: JsonObject): RecordedMessage | null {
  const { type, toolResult, functionResponse } = part;
  if (isObject(toolResult)) return chatResult(toolResult.toolUseId, toolResult.content);
  if (isObject(functionResponse)) return chatResult(functionResponse.id, functionResponse.response);
  if (type === "tool_call_response") return chatResult(part.id, part.response ?? part.result);
  if (type === "tool_result") return chatResult(part.tool_use_id, part.content);
  return type === "tool-result" ? chatResult(part.toolCallId, part.output ?? part.result) : null;
}

function chatResult(id: Json | undefined, value: Json | undefined): RecordedMessage {
  return { role: "tool", ...(typeof id === "string" && { tool_call_id: id }), content: resultText(value) };
}

/** What a tool gave back, as text: its own, that of its parts, or its JSON. */
export function resultText(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  // The AI SDK wraps what a tool returns by its kind.
  if (isObject(value) && "value" in value && /^(error-)?(text|json)$/.test(String(value.type))) {
    return resultText(value.value);
  }
  const texts = Array.isArray(value) ? value.map((part) => (isObject(part) ? partText(part) : null)) : [];
  return texts.length > 0 && texts.every((text) => text !== null) ? texts.join("") : JSON.stringify(value);
}
