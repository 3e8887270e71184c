/**
 * The items of OpenAI's responses API as chat messages. What a model said in one go comes as several items (thoughts,
 * texts, calls) and is one message; an item that a chat has no place for is kept with it as it came.
 */
import type { RecordedMessage } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { chatCall, chatContent, chatMessage } from "./chat-message.ts";

export interface ItemMessage {
  message: RecordedMessage;
  /** What it was made of. */
  items: JsonObject[];
}

/** Puts items together to messages. */
export function itemMessages(items: readonly JsonObject[]): ItemMessage[] {
  const groups: JsonObject[][] = [];
  for (const item of items) {
    const [first] = groups.at(-1) ?? [];
    if (first !== undefined && isSaid(first) && isSaid(item)) groups.at(-1)?.push(item);
    else groups.push([item]);
  }
  return groups.map((group) => {
    const [first] = group as [JsonObject];
    return { message: isSaid(first) ? saidMessage(group) : heardMessage(first), items: group };
  });
}

/** Whether a value says who speaks, or what kind of item it is. */
export function isItem({ type, role }: JsonObject): boolean {
  return textIn(role) !== null || textIn(type) !== null;
}

function isSaid(item: JsonObject): boolean {
  return item.role === "assistant" || (textIn(item.role) === null && !isOutput(item));
}

function isOutput({ type }: JsonObject): boolean {
  return /_output$/.test(textIn(type) ?? "");
}

function heardMessage(item: JsonObject): RecordedMessage {
  const message = chatMessage(item, textIn(item.role) ?? "tool") as RecordedMessage;
  if (message.role === "developer") return { ...message, role: "system" };
  const { call_id, output } = item;
  return isOutput(item) ? { role: "tool", tool_call_id: textIn(call_id) ?? "", content: chatContent(output) } : message;
}

/** What a model said in one go, as one message. */
export function saidMessage(items: readonly JsonObject[]): RecordedMessage {
  const spoken = items.filter(isSpoken);
  const texts = spoken.map(({ content }) => chatContent(withoutRefusals(content)));
  const refusals = spoken.flatMap(({ content }) => objectsIn(content).filter(isRefusal));
  const thoughts = items.filter(isThought).flatMap(thoughtsIn);
  const calls = items.filter(isCall);
  const others = items.filter((item) => !isSpoken(item) && !isCall(item) && (!isThought(item) || isHeldBack(item)));
  const isText = texts.every((text) => typeof text === "string" || text === null);
  const content = isText ? texts.join("") : texts.flat();
  return {
    ...{ role: "assistant", content: texts.every((text) => text === null) ? null : content },
    ...(refusals.length > 0 && { refusal: refusals.map(({ refusal }) => textIn(refusal) ?? "").join("") }),
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
    ...(others.length > 0 && { responses_items: others }),
  };
}

/** Whether a message holds all of the items that it was made of. */
export function isWholeMessage({ responses_items }: RecordedMessage): boolean {
  return responses_items === undefined;
}

function isSpoken({ role }: JsonObject): boolean {
  return role === "assistant";
}

function isThought({ type }: JsonObject): boolean {
  return type === "reasoning";
}

function isCall({ type }: JsonObject): boolean {
  return type === "function_call" || type === "custom_tool_call";
}

function isRefusal({ type }: JsonObject): boolean {
  return type === "refusal";
}

/** Thoughts are whole where the API shows them, else summed up, and often neither. */
function thoughtsIn({ content, summary }: JsonObject): string[] {
  const parts = objectsIn(content).length > 0 ? content : summary;
  return objectsIn(parts).flatMap(({ text }) => textIn(text) ?? []);
}

/** A thought that the server alone can read. */
function isHeldBack(item: JsonObject): boolean {
  return isThought(item) && thoughtsIn(item).length === 0 && textIn(item.encrypted_content) !== null;
}

/** A chat has a refusal beside the text. */
function withoutRefusals(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const others = content.filter((part) => !isObject(part) || !isRefusal(part));
  return others.length === 0 && content.length > 0 ? null : others;
}

/** A tool that takes any text is called with that alone. */
function callOf({ type, call_id, id, name, arguments: given, input }: JsonObject): JsonObject {
  const taken = type === "custom_tool_call" ? { input: input ?? "" } : given;
  return chatCall(textIn(call_id) ?? textIn(id), textIn(name) ?? "", taken);
}
