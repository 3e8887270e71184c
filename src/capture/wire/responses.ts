/**
 * The responses API: input and output are lists of items. Texts and function calls become the messages that chat has
 * for them; an item of another kind is kept whole in a message of its own (`responses_item`), so that nothing is lost.
 */
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { toolsIn, usageIn, type Wire } from "./body.ts";

const ENDS = new Set(["response.completed", "response.incomplete", "response.failed", "error"]);

export const responses: Wire = {
  readCall(body) {
    const { input, instructions, tools: given, ...request } = body;
    const items = typeof input === "string" ? [{ role: "user", content: input }] : objectsIn(input);
    if (items.length === 0) return null;
    const system = typeof instructions === "string" ? [{ role: "system", content: instructions }] : [];
    const tools = toolsIn(given)?.map(asChatTool) ?? null;
    return {
      ...{ api: "responses", tools, isStream: body.stream === true },
      messages: [...system, ...joinedCalls(items.map(messageOf))],
      request: { ...request, ...(tools === null && given !== undefined && { tools: given }) },
      previousResponse: textIn(body.previous_response_id),
    };
  },

  readAnswer(body) {
    const output = objectsIn(body.output);
    if (!Array.isArray(body.output)) return null;
    return {
      message: answerOf(output),
      finishReason: textIn(body.status),
      usage: usageIn(body.usage),
      model: textIn(body.model),
      id: textIn(body.id),
      tokenIds: undefined,
      response: body,
    };
  },

  openStream() {
    let whole: JsonObject | null = null;
    return {
      take(data) {
        if (isObject(data.response)) whole = data.response;
        return ENDS.has(String(data.type));
      },
      body: () => whole,
    };
  },
};

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
