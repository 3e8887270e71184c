/**
 * Chat messages as many agents keep them: with keys of their own, content in parts, arguments as an object. What comes
 * out is OpenAI's shape: one text where all parts are texts, arguments as JSON, thoughts as `reasoning_content`.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { type JsonObject, objectIn, objectsIn, textIn } from "../reading/shapes.ts";

/** Returns a message with the keys that a chat has; null where nobody says it. `role` is what the entry lacks. */
export function chatMessage(entry: JsonObject, role: string | null = textIn(entry.role)): RecordedMessage | null {
  if (role === null) return null;
  const calls = chatCalls(entry.tool_calls);
  const thoughts = thoughtsOf(entry);
  const name = textIn(entry.name);
  const answered = answeredCall(entry);
  return {
    ...{ role, content: chatContent(entry.content) },
    ...(thoughts !== null && { reasoning_content: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(role === "tool" && answered !== null && { tool_call_id: answered }),
    ...(name !== null && { name }),
  };
}

/** A text, or null where there is nothing; parts that are no texts stay parts. */
export function chatContent(content: unknown): unknown {
  if (!Array.isArray(content)) return content ?? null;
  const texts = content.map((part) => textIn(part) ?? textIn(objectIn(part).text));
  return texts.every((text) => text !== null) ? texts.join("") : content;
}

/** One call of a function. */
export function chatCall(id: string | null, name: string, given: unknown): JsonObject {
  const text = typeof given === "string" ? given : JSON.stringify(given ?? {});
  return { ...(id !== null && { id }), type: "function", function: { name, arguments: text } };
}

/** A request's parameters without those that let one in. */
export function openParameters(parameters: unknown): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(objectIn(parameters)).filter(([key]) => !/(api|access)_?key|headers/i.test(key)),
  );
}

function chatCalls(calls: unknown): JsonObject[] {
  return objectsIn(calls).map(({ id, function: called }) => {
    const { name, arguments: given } = objectIn(called);
    return chatCall(textIn(id), textIn(name) ?? "", given);
  });
}

/** Some agents keep a list of the calls that a message answers, with one entry. */
function answeredCall({ tool_call_id, tool_call_ids }: JsonObject): string | null {
  return textIn(tool_call_id) ?? (Array.isArray(tool_call_ids) ? textIn(tool_call_ids[0]) : null);
}

function thoughtsOf({ reasoning_content, reasoning, thinking_blocks }: JsonObject): string | null {
  const said = textIn(reasoning_content) ?? textIn(reasoning);
  const blocks = objectsIn(thinking_blocks).flatMap(({ thinking }) => textIn(thinking) ?? []);
  return said ?? (blocks.length > 0 ? blocks.join("\n") : null);
}
