/**
 * The items of OpenAI's responses API as chat messages. What a model said in one go comes as several items (thoughts,
 * texts, calls) and is one message; an item that a chat has no place for is kept with it as it came.
 */
import type { RecordedMessage } from "../../records/message.ts";
import { type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
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

/** Thoughts are whole where the API shows them, else summed up, and often neither. */
function saidMessage(items: readonly JsonObject[]): RecordedMessage {
  const texts = items.filter(({ role }) => role === "assistant").map(({ content }) => chatContent(content));
  const calls = items.filter(({ type }) => type === "function_call");
  const thoughts = items
    .filter(({ type }) => type === "reasoning")
    .flatMap(({ content, summary }) => {
      const parts = objectsIn(content).length > 0 ? content : summary;
      return objectsIn(parts).flatMap(({ text }) => textIn(text) ?? []);
    });
  const others = items.filter(
    ({ type, role }) => role !== "assistant" && type !== "function_call" && type !== "reasoning",
  );
  const isText = texts.every((text) => typeof text === "string" || text === null);
  const content = isText ? texts.join("") : texts.flat();
  return {
    ...{ role: "assistant", content: texts.length === 0 ? null : content },
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ call_id, id, name, arguments: given }) =>
        chatCall(textIn(call_id) ?? textIn(id), textIn(name) ?? "", given),
      ),
    }),
    ...(others.length > 0 && { responses_items: others }),
  };
}
