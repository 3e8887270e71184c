/**
 * Messages in the blocks of Anthropic's API, in the shape of OpenAI's chat.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { assistantMessage, contentOf, toolCall } from "../reading/message-parts.ts";
import { isObject, type JsonObject, objectIn, objectsIn, textIn } from "../reading/shapes.ts";

/** Blocks of a message's content. */
export function blocksOf(content: Json | undefined): JsonObject[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return objectsIn(content);
}

/** An answer, and whether some of its reasoning is a cipher or was left out. */
export function answerOf(blocks: readonly JsonObject[]): { message: RecordedMessage; isRedacted: boolean } {
  const thoughts = blocks.filter(({ type }) => type === "thinking" || type === "redacted_thinking");
  const reasoning = thoughts.flatMap(({ thinking }) => textIn(thinking) || []).join("\n");
  const calls = blocks.filter(({ type }) => type === "tool_use");
  const said = blocks.filter((block) => !thoughts.includes(block) && block.type !== "tool_use");
  return {
    message: assistantMessage({
      ...{ content: contentOf(said.map(partOf)), reasoning },
      calls: calls.map(({ id, name, input }) => toolCall(textIn(id), textIn(name) ?? "", input)),
    }),
    isRedacted: thoughts.some(({ thinking }) => textIn(thinking) === null || thinking === ""),
  };
}

/** What was asked besides tools' results; null where nothing was. */
export function askedIn(blocks: readonly JsonObject[]): RecordedMessage | null {
  const asked = blocks.filter(({ type }) => type !== "tool_result");
  return asked.length === 0 ? null : { role: "user", content: contentOf(asked.map(partOf), "\n") };
}

/** What a tool gave. */
export function toolMessage({ tool_use_id, content, is_error }: JsonObject): RecordedMessage {
  const id = textIn(tool_use_id);
  return {
    role: "tool",
    ...(id !== null && { tool_call_id: id }),
    content: contentOf(blocksOf(content).map(partOf), "\n"),
    ...(is_error === true && { is_error }),
  };
}

function partOf(block: JsonObject): JsonObject {
  const { type, text, source } = block;
  if (type === "text" && typeof text === "string") return { type, text };
  if (type !== "image" || !isObject(source)) return block;
  const { url, media_type, data } = objectIn(source);
  if (typeof url === "string") return { type: "image_url", image_url: { url } };
  if (typeof data !== "string") return block;
  return { type: "image_url", image_url: { url: `data:${textIn(media_type) ?? ""};base64,${data}` } };
}
