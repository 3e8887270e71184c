/**
 * The responses API: input and output are lists of items. Texts and function calls become the messages that chat has
 * for them; an item of another kind is kept whole in a message of its own (`responses_item`), so that nothing is lost.
 */
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { hasError, type StreamJoin, toolsIn, usageIn, type Wire } from "./body.ts";

/** Statuses of a response that never came to its end. */
const BROKEN = new Set(["failed", "cancelled"]);
const ENDS = new Set(["response.completed", "response.incomplete"]);

export const responses: Wire = {
  readCall(body) {
    const { input, instructions, tools: given, ...request } = body;
    const items = typeof input === "string" ? [{ role: "user", content: input }] : objectsIn(input);
    if (items.length === 0) return null;
    const system = typeof instructions === "string" ? [{ role: "system", content: instructions }] : [];
    const tools = toolsIn(given)?.map(asChatTool) ?? null;
    return {
      ...{ api: "responses", tools, isStream: body.stream === true },
      ...{ messages: [...system, ...joinedCalls(items.map(messageOf))], ownMessages: system.length },
      request: { ...request, ...(tools === null && given !== undefined && { tools: given }) },
      previousResponse: textIn(body.previous_response_id),
      missing: isWholeCall(body, items) ? [] : ["prompt"],
    };
  },

  readAnswer(body) {
    const output = objectsIn(body.output);
    if (!Array.isArray(body.output)) return null;
    return {
      message: answerOf(output),
      finishReason: responseFinish(body),
      usage: usageIn(body.usage),
      model: textIn(body.model),
      id: textIn(body.id),
      tokenIds: undefined,
      response: body,
    };
  },

  isError({ type, response, ...body }) {
    const told = isObject(response) ? response : body;
    return type === "error" || hasError(told) || BROKEN.has(String(told.status));
  },

  openStream: joinEvents,
};

/** Why a response ended, in the words of chat where chat has one; null while it has not ended. */
export function responseFinish({ status, incomplete_details }: JsonObject): string | null {
  const reason = isObject(incomplete_details) ? incomplete_details.reason : null;
  if (status === "incomplete" && reason === "max_output_tokens") return "length";
  if (status === "incomplete" && reason === "content_filter") return "content_filter";
  return status === "in_progress" || status === "queued" ? null : textIn(status);
}

/** A conversation, an item or a prompt that only the server has may stand in a call by its name. */
function isWholeCall({ conversation, prompt }: JsonObject, items: JsonObject[]): boolean {
  const isNamed = [conversation, prompt].some((one) => one !== undefined && one !== null);
  return !isNamed && !items.some(({ type }) => type === "item_reference");
}

/** The last event of a whole stream has the response; of one that broke off it is made of the items and deltas that came. */
function joinEvents(): StreamJoin {
  let latest: JsonObject | null = null;
  const items = new Map<number, JsonObject>();
  return {
    take(data) {
      if (isObject(data.response)) latest = data.response;
      if (typeof data.output_index === "number") takeItem(items, data.output_index, data);
      return ENDS.has(String(data.type));
    },
    body() {
      if (items.size === 0 || objectsIn(latest?.output).length > 0) return latest;
      const output = [...items].sort(([x], [y]) => x - y).map(([, item]) => item);
      return { object: "response", ...latest, output };
    },
  };
}

/** Which key of a content part, or of an item, each kind of delta makes longer. */
const DELTA_KEYS: Readonly<Record<string, string>> = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.reasoning_text.delta": "text",
  "response.reasoning_summary_text.delta": "text",
  "response.function_call_arguments.delta": "arguments",
};

function takeItem(items: Map<number, JsonObject>, index: number, data: JsonObject): void {
  const { type, item, part, delta } = data;
  if (isObject(item)) items.set(index, structuredClone(item));
  const isCall = type === "response.function_call_arguments.delta";
  const begun = isCall ? { type: "function_call" } : { type: "message", role: "assistant" };
  const sum: JsonObject = items.get(index) ?? begun;
  items.set(index, sum);
  const key = DELTA_KEYS[String(type)];
  const list = typeof data.summary_index === "number" ? "summary" : "content";
  const place = data.summary_index ?? data.content_index;
  if (typeof place !== "number") {
    if (key !== undefined && typeof delta === "string") sum[key] = (textIn(sum[key]) ?? "") + delta;
    return;
  }
  const parts = Array.isArray(sum[list]) ? sum[list] : [];
  sum[list] = parts;
  if (!Number.isSafeInteger(place) || place < 0 || place > parts.length) return;
  const before = parts[place];
  if (isObject(part)) parts[place] = structuredClone(part);
  else if (key !== undefined && typeof delta === "string") {
    const known = isObject(before) ? before : { type: key === "refusal" ? "refusal" : "output_text", text: "" };
    parts[place] = { ...known, [key]: (textIn(known[key]) ?? "") + delta };
  }
}

function messageOf(item: JsonObject): RecordedMessage {
  const { type, role, content, call_id } = item;
  if (type === "function_call") {
    const call = { name: textIn(item.name) ?? "", arguments: textIn(item.arguments) ?? "" };
    return {
      role: "assistant",
      content: null,
      tool_calls: [{ id: textIn(call_id) ?? "", type: "function", function: call }],
    };
  }
  if (type === "function_call_output") {
    return {
      role: "tool",
      tool_call_id: textIn(call_id) ?? "",
      content: plainText(item.output) ?? item.output ?? null,
    };
  }
  if (typeof role === "string") return { role, content: plainText(content) ?? content ?? null };
  return { role: "assistant", content: null, responses_item: item };
}

/** Calls that were made at once stand in one message, as chat has them. */
function joinedCalls(messages: RecordedMessage[]): RecordedMessage[] {
  const joined: RecordedMessage[] = [];
  for (const message of messages) {
    const before = joined.at(-1);
    const isCall = Array.isArray(message.tool_calls);
    if (isCall && before?.role === "assistant" && before.responses_item === undefined) {
      const calls = [...((before.tool_calls as unknown[]) ?? []), ...(message.tool_calls as unknown[])];
      joined[joined.length - 1] = { ...before, tool_calls: calls };
    } else joined.push(message);
  }
  return joined;
}

function answerOf(output: JsonObject[]): RecordedMessage {
  const parts = output.map(messageOf);
  const texts = parts.flatMap(({ content }) => (typeof content === "string" ? [content] : []));
  const calls = parts.flatMap(({ tool_calls }) => (Array.isArray(tool_calls) ? tool_calls : []));
  const content = texts.length > 0 ? texts.join("") : null;
  return { role: "assistant", content, ...(calls.length > 0 && { tool_calls: calls }) };
}

/** The text of a content whose parts are all texts; null where one is not. */
function plainText(content: unknown): string | null {
  if (typeof content === "string") return content;
  const parts = objectsIn(content);
  if (!Array.isArray(content) || parts.length !== content.length || parts.length === 0) return null;
  const texts = parts.map(({ type, text }) => (/^(input|output)_text$/.test(String(type)) ? textIn(text) : null));
  return texts.every((text) => text !== null) ? texts.join("") : null;
}

/** Chat has a function's fields one level deeper. */
function asChatTool(tool: RecordedTool): RecordedTool {
  if (tool.type !== "function" || tool.function !== undefined) return tool;
  const { type, ...fields } = tool;
  return { type, function: fields };
}
