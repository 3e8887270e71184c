/**
 * The messages and tools of examples, checked: what cannot be read is absent. An item's examples have most of their
 * prompt in common, and all of a skill their system message, so the last ones read are kept at hand, as one object each.
 */
import { z } from "zod";
import type { RunId } from "../records/ids.ts";
import { type Message, messageSchema, type Tool, toolSchema } from "../records/message.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";

export interface CandidateTexts {
  /** Contract: what is returned is never changed. */
  message(run: RunId, hash: string): Message | null;
  tools(run: RunId, hash: string): Tool[] | null;
}

/**
 * Where a message says something that is neither its text nor one of its calls: a call in the older form, a refusal, sounds,
 * pictures. No chat template shows these, and a row without them would teach half of an answer.
 */
const BESIDE = ["function_call", "refusal", "audio", "images"];
/** So many texts of a kind, with no more than so many characters, are kept. */
const KEPT_TEXTS = 256;
const KEPT_CHARACTERS = 1 << 22;
/** About as many as a tool has. */
const TOOL_CHARACTERS = 1 << 10;
const toolsSchema = z.array(toolSchema);
const textPartSchema = z.looseObject({ type: z.literal("text"), text: z.string() });

/** OpenAI's API lets an answer with calls leave its `content` out, and a text be a part of its own; several are not joined by guess. */
const readableSchema = z.preprocess((sent) => {
  if (typeof sent !== "object" || sent === null) return sent;
  const { role, content } = sent as { role?: unknown; content?: unknown };
  if (content === undefined) return role === "assistant" ? { ...sent, content: null } : sent;
  const parts = Array.isArray(content) && content.length === 1 ? textPartSchema.safeParse(content[0]) : null;
  return parts?.success ? { ...sent, content: parts.data.text } : sent;
}, messageSchema);

/** Makes a reader of checked texts over the recorded ones. */
export function candidateTexts(texts: RecordedTexts): CandidateTexts {
  return {
    message: keeping((run, hash) => wholeMessage(texts.read(run, hash)), lengthOf),
    tools: keeping(
      (run, hash) => toolsSchema.safeParse(texts.read(run, hash)).data ?? null,
      (tools) => (tools ?? []).length * TOOL_CHARACTERS,
    ),
  };
}

/** Null for what has a part that a `Message` has no place for. */
function wholeMessage(text: unknown): Message | null {
  const message = readableSchema.safeParse(text).data ?? null;
  return message === null || BESIDE.some((key) => saysSomething(message[key])) ? null : message;
}

/** Servers write keys that they have no use for as null, as an empty text or as an empty list. */
function saysSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "";
}

/** Remembers what was read last; all is forgotten at once when it becomes too much. */
function keeping<T>(read: (run: RunId, hash: string) => T, sizeOf: (value: T) => number) {
  const kept = new Map<string, T>();
  let characters = 0;
  return (run: RunId, hash: string): T => {
    const key = `${run} ${hash}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const value = read(run, hash);
    characters += sizeOf(value);
    if (kept.size >= KEPT_TEXTS || characters > KEPT_CHARACTERS) {
      kept.clear();
      characters = sizeOf(value);
    }
    kept.set(key, value);
    return value;
  };
}

function lengthOf(message: Message | null): number {
  return message?.content?.length ?? 0;
}
