/**
 * The GenAI conventions as they were up to 1.36, and what libraries made of them: an event a message, flattened
 * `gen_ai.prompt.N` and `gen_ai.completion.N`, or one text of each.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";
import { chatMessages, partsInText } from "./chat-messages.ts";
import { toldTools } from "./chat-tools.ts";
import { firstOf, flatList, structured } from "./otel-attributes.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import type { CallTexts } from "./trace-steps.ts";

const EVENT_ROLES: ReadonlyMap<string, string> = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"],
]);

/** An event a message: on the span, as log records, or as a list in one attribute. */
export function eventMessages(span: Span): Partial<CallTexts> {
  const listed = objectsIn(structured(span.attributes.get("events")).value).map((body) => ({
    name: textIn(body["event.name"]) ?? "",
    body,
  }));
  const events = [...span.events.map(({ name, attributes }) => ({ name, body: bodyOf(attributes) })), ...listed];
  const told = events.flatMap(({ name, body }) => {
    const role = EVENT_ROLES.get(name);
    return role === undefined ? [] : (chatMessages({ role, ...body, content: contentIn(body.content) }) ?? []);
  });
  const choices = events.filter(({ name }) => name === "gen_ai.choice").map(({ body }) => body);
  const answers = choices.flatMap((body) => chatMessages(choiceMessage(body), "assistant") ?? []);
  return {
    prompt: told.length > 0 ? told : null,
    answers: answers.length > 0 ? answers : null,
    finishReason: textIn(choices[0]?.finish_reason),
    clipped: span.isClipped && events.length > 0 ? ["prompt", "answer"] : [],
  };
}

/** A choice has its message in a member of its own, as JSON where events have no nested values. */
function choiceMessage(body: JsonObject): JsonObject {
  const { value } = structured(body.message);
  const said = isObject(value) ? value : { content: contentIn(value ?? body.content) };
  const calls = structured(said.tool_calls ?? body.tool_calls).value ?? null;
  return { ...said, content: contentIn(said.content), role: "assistant", tool_calls: calls };
}

function contentIn(content: Json | undefined): Json {
  return typeof content === "string" ? partsInText(content) : (content ?? null);
}

/** Some libraries have the whole body in one attribute. */
function bodyOf(attributes: Attributes): JsonObject {
  const whole = structured(attributes.get("gen_ai.event.content")).value;
  if (isObject(whole)) return whole;
  const body = [...attributes].filter(([key]) => !/^(gen_ai\.|event\.|server\.)/.test(key));
  return Object.fromEntries(body.map(([key, value]) => [key, key === "tool_calls" ? callsIn(value) : value]));
}

function callsIn(value: Json): Json {
  return structured(value).value ?? null;
}

/** OpenLLMetry's flattened lists. */
export function flatCompletions(span: Span): Partial<CallTexts> {
  const { attributes } = span;
  const prompts = flatList(attributes, "gen_ai.prompt");
  const completions = flatList(attributes, "gen_ai.completion");
  const functions = flatList(attributes, "llm.request.functions").map((entry) => Object.fromEntries(entry));
  const { tools, clipped } = toldTools(functions);
  const isThere = prompts.length + completions.length > 0;
  return {
    prompt: flatMessages(prompts, "user"),
    answers: flatMessages(completions, "assistant"),
    tools,
    tellsTools: true,
    finishReason:
      completions.map((entry) => textIn(entry.get("finish_reason"))).find((reason) => reason !== null) ?? null,
    clipped: span.isClipped && isThere ? ["prompt", "answer", "tools"] : clipped,
  };
}

function flatMessages(entries: readonly Map<string, Json>[], fallbackRole: string): RecordedMessage[] | null {
  const messages = entries.map((entry) => ({
    role: textIn(entry.get("role")) ?? fallbackRole,
    content: contentIn(entry.get("content")),
    tool_call_id: entry.get("tool_call_id") ?? null,
    reasoning_content: textIn(entry.get("reasoning")) ?? textIn(entry.get("reasoning_content")),
    tool_calls: flatList(entry, "tool_calls").map((call) => Object.fromEntries(call)),
  }));
  return messages.length > 0 ? chatMessages(messages) : null;
}

/** One text or JSON for all of the prompt and one for the answer, on the span or on events. */
export function wholeTexts(span: Span): Partial<CallTexts> {
  const maps = [span.attributes, ...span.events.map(({ attributes }) => attributes)];
  const find = (key: string) => maps.map((map) => firstOf(map, key)).find((value) => value !== undefined);
  const prompt = structured(find("gen_ai.prompt"));
  const completion = structured(find("gen_ai.completion"));
  return {
    prompt: wholeMessages(prompt.value, "user"),
    answers: wholeMessages(completion.value, "assistant"),
    clipped: [
      ...(prompt.isClipped ? (["prompt"] as const) : []),
      ...(completion.isClipped ? (["answer"] as const) : []),
    ],
  };
}

function wholeMessages(value: Json | undefined, role: string): RecordedMessage[] | null {
  if (typeof value === "string" && value !== "") return [{ role, content: value }];
  const listed = isObject(value) && Array.isArray(value.messages) ? value.messages : value;
  const isMessages = Array.isArray(listed) || (isObject(listed) && typeof listed.role === "string");
  return isMessages ? chatMessages(listed, role) : null;
}
