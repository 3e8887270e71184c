/**
 * The responses API: input and output are lists of items. Texts, thoughts and calls become the messages that chat has for
 * them; an item of another kind is kept whole beside what was said with it (`responses_items`), and the prompt or answer is
 * not whole as chat has it.
 */
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { type ItemMessage, isWholeMessage, itemMessages, saidMessage } from "../trials/response-items.ts";
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
    const messages = itemMessages(items).map(asSent);
    return {
      ...{ api: "responses", tools, isStream: body.stream === true },
      ...{ messages: [...system, ...messages], ownMessages: system.length },
      request: { ...request, ...(tools === null && given !== undefined && { tools: given }) },
      previousResponse: textIn(body.previous_response_id),
      missing: isWholeCall(body, items) && messages.every(isWholeMessage) ? [] : ["prompt"],
    };
  },

  readAnswer(body) {
    const output = objectsIn(body.output);
    if (!Array.isArray(body.output)) return null;
    const message = saidMessage(output);
    return {
      ...{ message, isWhole: isWholeMessage(message) },
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

  saysDone: false,
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
  "response.custom_tool_call_input.delta": "input",
};

/** The item that a delta is of where no event began one; any other's is a text's. */
const BEGUN: Readonly<Record<string, string>> = {
  "response.reasoning_text.delta": "reasoning",
  "response.reasoning_summary_text.delta": "reasoning",
  "response.function_call_arguments.delta": "function_call",
  "response.custom_tool_call_input.delta": "custom_tool_call",
};

function takeItem(items: Map<number, JsonObject>, index: number, data: JsonObject): void {
  const { type, item, part, delta } = data;
  if (isObject(item)) items.set(index, structuredClone(item));
  const kind = BEGUN[String(type)];
  const begun = kind === undefined ? { type: "message", role: "assistant" } : { type: kind };
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

/** A message is said by whoever the call says: chat knows the role `developer`, too. */
function asSent({ message, items: [first] }: ItemMessage): RecordedMessage {
  return { ...message, role: textIn(first?.role) ?? message.role };
}

/** Chat has a function's fields one level deeper. */
function asChatTool(tool: RecordedTool): RecordedTool {
  if (tool.type !== "function" || tool.function !== undefined) return tool;
  const { type, ...fields } = tool;
  return { type, function: fields };
}
