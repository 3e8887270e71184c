/**
 * What a span says of a call to a model: its prompt, answers and tools. They lie there in one of several dialects; of
 * each part the first that has it counts. What was not captured, as that is opt-in, is null.
 */
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { objectsIn, textIn } from "../reading/shapes.ts";
import { chatMessages } from "./chat-messages.ts";
import { toldTools } from "./chat-tools.ts";
import { structured } from "./otel-attributes.ts";
import { eventMessages, flatCompletions, wholeTexts } from "./otel-old-content.ts";
import { openInference } from "./otel-openinference.ts";
import type { Span } from "./otel-spans.ts";
import { vercel } from "./otel-vercel.ts";
import type { CallTexts } from "./trace-steps.ts";

/** Each reads what a span holds in one dialect. */
const DIALECTS: readonly ((span: Span) => Partial<CallTexts>)[] = [
  genAi,
  openInference,
  vercel,
  flatCompletions,
  eventMessages,
  wholeTexts,
];

/** Reads what a span holds. */
export function contentOf(span: Span): CallTexts {
  const found: CallTexts = {
    ...{ prompt: null, answers: null, tools: null },
    ...{ tellsTools: false, clipped: [], finishReason: null },
  };
  const clipped = new Set<TurnPart>();
  for (const dialect of DIALECTS) {
    const { prompt = null, answers = null, tools = null, finishReason = null, ...told } = dialect(span);
    if (found.prompt === null && prompt !== null) {
      found.prompt = prompt;
      found.tellsTools = told.tellsTools ?? false;
    }
    found.answers ??= answers;
    found.tools ??= tools;
    found.finishReason ??= finishReason;
    for (const part of told.clipped ?? []) clipped.add(part);
  }
  return { ...found, clipped: [...clipped] };
}

/** The GenAI conventions since 1.37. */
function genAi({ attributes }: Span): Partial<CallTexts> {
  const read = (key: string) => structured(attributes.get(key));
  const input = read("gen_ai.input.messages");
  const output = read("gen_ai.output.messages");
  const definitions = toldTools(attributes.get("gen_ai.tool.definitions"));
  const system = read("gen_ai.system_instructions");
  const told = messagesOf(input.value, "user");
  const before = system.value === undefined ? [] : (instructions(system.value) ?? []);
  const clipped = [
    ...definitions.clipped,
    ...(input.isClipped || (told === null && before.length > 0) ? (["prompt"] as const) : []),
    ...(system.isClipped ? (["system-prompt"] as const) : []),
    ...(output.isClipped ? (["answer"] as const) : []),
  ];
  const prompt = [...before, ...(told ?? [])];
  return {
    prompt: prompt.length > 0 ? prompt : null,
    answers: messagesOf(output.value, "assistant"),
    tools: definitions.tools,
    finishReason: textIn(objectsIn(output.value)[0]?.finish_reason),
    clipped,
  };
}

/** Messages, or the text of the only one. */
function messagesOf(value: unknown, role: string): RecordedMessage[] | null {
  return typeof value === "string" && value !== "" ? [{ role, content: value }] : chatMessages(value, role);
}

/** System instructions are the parts of a message, or a text. */
function instructions(value: unknown): RecordedMessage[] | null {
  if (Array.isArray(value) && objectsIn(value).some(({ role }) => typeof role === "string")) return chatMessages(value);
  return value === "" ? null : chatMessages({ role: "system", content: value as never });
}
