/**
 * Inspect's chat messages in the shape of OpenAI's chat. Inspect keeps long texts once a sample, as attachments that
 * messages refer to; what they come to in all is bounded, as a small file may refer to one text a million times.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { assistantMessage, contentOf, toolCall } from "../reading/message-parts.ts";
import { isObject, type JsonObject, objectIn, objectsIn, textIn } from "../reading/shapes.ts";

export interface ReadMessage {
  message: RecordedMessage;
  /** False where an attachment of it is not there, or an image was removed. */
  isWhole: boolean;
  flags: readonly string[];
}

export interface SampleMessages {
  /** Null for what is no message. */
  read(value: Json): ReadMessage | null;
  /** The value with its attachments in place of what refers to them. */
  fill(value: Json): Json;
  /** True once the attachments come to more than the limit: what is read from then on is not whole. */
  readonly isSpent: boolean;
}

export const MOST_ATTACHED_CHARACTERS = 256 << 20;

/** `tc://` is the name of before 2025. */
const REFERENCE = /^(?:attachment|tc):\/\//;
/** What Inspect writes in place of an image that it was told not to log. */
const REMOVED = "<base64-data-removed>";

/** Reads the messages of one sample. The limit is for tests. */
export function openSampleMessages(
  attachments: Json | undefined,
  mostCharacters = MOST_ATTACHED_CHARACTERS,
): SampleMessages {
  const texts = textsOf(attachments);
  const known = new Map<string, ReadMessage | null>();
  let attachedCharacters = 0;
  let lost = 0;

  function fill(value: Json): Json {
    if (typeof value === "string") return filled(value);
    if (Array.isArray(value)) return value.map(fill);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part)]));
  }

  function filled(text: string): string {
    if (text === REMOVED) lost++;
    const prefix = REFERENCE.exec(text);
    if (prefix === null) return text;
    const attached = texts.get(text.slice(prefix[0].length));
    if (attached !== undefined) attachedCharacters += attached.length;
    if (attached !== undefined && attachedCharacters <= mostCharacters) return attached;
    lost++;
    return text;
  }

  return {
    fill,
    get isSpent() {
      return attachedCharacters > mostCharacters;
    },
    read(value) {
      const key = JSON.stringify(value);
      const before = known.get(key);
      if (before !== undefined) return before;
      const lostBefore = lost;
      const whole = fill(value);
      const read = isObject(whole) ? chatMessage(whole) : null;
      const message = read && { ...read, isWhole: lost === lostBefore };
      known.set(key, message);
      return message;
    },
  };
}

/** By hash; in a sample that is kept in chunks by their number. */
function textsOf(attachments: Json | undefined): Map<string, string> {
  const entries = typeof attachments === "object" && attachments !== null ? Object.entries(attachments) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function chatMessage(message: JsonObject): Omit<ReadMessage, "isWhole"> | null {
  const role = textIn(message.role);
  if (role === null) return null;
  if (role === "assistant") return answer(message);
  if (role === "tool") return { message: toolResult(message), flags: [] };
  return { message: { role, content: contentOf(partsOf(message.content), "\n") }, flags: [] };
}

function answer(message: JsonObject): Omit<ReadMessage, "isWhole"> {
  const parts = partsOf(message.content);
  const thoughts = parts.filter(({ type }) => type === "reasoning");
  const calls = objectsIn(message.tool_calls);
  const reasoning = [textIn(message.reasoning), ...thoughts.map(reasoningOf)].filter((text) => text !== null);
  return {
    message: assistantMessage({
      content: contentOf(
        parts.filter(({ type }) => type !== "reasoning"),
        "\n",
      ),
      reasoning: reasoning.join("\n"),
      calls: calls.map((call) => toolCall(textIn(call.id), textIn(call.function) ?? "", call.arguments)),
    }),
    flags: [
      ...(thoughts.some(({ redacted }) => redacted === true) ? ["reasoning-redacted"] : []),
      ...(calls.some(({ parse_error }) => typeof parse_error === "string") ? ["tool-call-not-parsed"] : []),
    ],
  };
}

/** The reasoning of a redacted part is a cipher for its provider. */
function reasoningOf({ reasoning, summary, redacted }: JsonObject): string | null {
  return redacted === true ? textIn(summary) : (textIn(reasoning) ?? textIn(summary));
}

/** Of a call that failed, Inspect shows the model the error in place of the result. */
function toolResult({ tool_call_id, function: name, content, error }: JsonObject): RecordedMessage {
  const result = contentOf(partsOf(content), "\n");
  const fault = isObject(error) ? textIn(error.message) : null;
  return {
    role: "tool",
    ...(typeof tool_call_id === "string" && { tool_call_id }),
    ...(typeof name === "string" && { name }),
    content: fault ?? result,
    ...(fault !== null && { error: objectIn(error) }),
    ...(fault !== null && result.length > 0 && { result }),
  };
}

/** Parts as OpenAI's chat has them; those that it does not have stay as they are. */
function partsOf(content: Json | undefined): JsonObject[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return objectsIn(content).map((part) => {
    const { type, text, image, detail, audio, format } = part;
    if (type === "text" && typeof text === "string") return { type, text };
    if (type === "image" && typeof image === "string") {
      return { type: "image_url", image_url: { url: image, ...(typeof detail === "string" && { detail }) } };
    }
    if (type === "audio" && typeof audio === "string") {
      return { type: "input_audio", input_audio: { data: audio, format: format ?? null } };
    }
    return part;
  });
}
