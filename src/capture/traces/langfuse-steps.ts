/**
 * An observation of Langfuse as a step of its trace. What came to Langfuse through OpenTelemetry still has the span's
 * attributes in its metadata, which tell what the observation's own fields do not.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { sumOf } from "../../foundation/sums.ts";
import type { Turn } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { parseJson } from "../reading/json.ts";
import { countIn, isObject, type JsonObject, objectIn, textIn } from "../reading/shapes.ts";
import { WIRES } from "../wire/index.ts";
import { chatMessages, joinedAnswer, partsInText, resultText } from "./chat-messages.ts";
import { chatRequest } from "./chat-request.ts";
import { chatTools } from "./chat-tools.ts";
import { field, type Member, msOf, plainField } from "./langfuse-members.ts";
import { BEGINS_AS_JSON, firstText } from "./otel-attributes.ts";
import { contentOf } from "./otel-content.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import { finishIn, kindOf } from "./otel-steps.ts";
import { wholePrompt } from "./otel-vercel.ts";
import { argumentsIn } from "./trace-records.ts";
import type { CallContent, CallTexts, Step, ToolContent } from "./trace-steps.ts";

const KINDS: ReadonlyMap<unknown, Step["kind"]> = new Map([
  ["GENERATION", "call"],
  ["TOOL", "tool"],
  ["AGENT", "agent"],
  ["EVALUATOR", "evaluator"],
] as const);
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** Reads an observation. */
export function observationStep({ fields, where }: Pick<Member, "fields" | "where">): Step {
  const attributes = attributesOf(fields);
  const name = textIn(fields.name) ?? "";
  const kind = observationKind(fields, attributes);
  const message = textIn(field(fields, "statusMessage")) ?? "";
  return {
    ...{ where, id: textIn(fields.id), parent: textIn(field(fields, "parentObservationId")), name, kind },
    ...{ startMs: msOf(fields, "startTime"), endMs: msOf(fields, "endTime") },
    // A name with an id in it names one run of an agent.
    agent: kind === "agent" && name !== "" && !UUID.test(name) ? name : null,
    error: fields.level === "ERROR" ? { code: "ERROR", message } : null,
    call: kind === "call" || kind === "agent" ? callOf(fields, attributes) : null,
    tool: kind === "tool" ? toolOf(fields, attributes) : null,
  };
}

/** Of a trace without any call, what it was asked and what it answered. */
export function traceStep({ fields, where }: Member): Step {
  const step = observationStep({ fields: { ...fields, type: "AGENT", name: "" }, where });
  const ms = msOf(fields, "timestamp");
  return { ...step, id: null, startMs: ms, endMs: ms };
}

function observationKind(fields: JsonObject, attributes: Attributes): Step["kind"] {
  const known = KINDS.get(fields.type);
  if (known !== undefined || fields.type !== "SPAN") return known ?? "other";
  return kindOf(asSpan(attributes)) === "tool" ? "tool" : "other";
}

function attributesOf(fields: JsonObject): Map<string, Json> {
  const metadata = plainField(fields, "metadata");
  return new Map(Object.entries(objectIn(isObject(metadata) ? plainField(metadata, "attributes") : null)));
}

function asSpan(attributes: Attributes): Span {
  return {
    ...{ where: "", trace: null, id: null, parent: null, name: "", startMs: null, endMs: null, attributes, events: [] },
    ...{ error: null, isClipped: false, service: null, scope: null, isLog: false },
  };
}

function callOf(fields: JsonObject, attributes: Attributes): CallContent {
  const input = plainField(fields, "input");
  const output = plainField(fields, "output");
  const told = contentOf(asSpan(attributes));
  const body = isObject(output) && Array.isArray(output.output) ? output : {};
  const set = objectIn(plainField(fields, "modelParameters"));
  const answer = answerOf(output, field(fields, "output"));
  const tools = toolsIn({ fields, input, body }) ?? told.tools;
  const isCut = typeof input === "string" && BEGINS_AS_JSON.test(input);
  return {
    prompt: withInstructions(isCut ? null : promptOf(input), body.instructions ?? set.instructions),
    answers: answer.message === null ? null : [answer.message],
    finishReason: answer.finishReason ?? textIn(set.finishReason) ?? finishIn(attributes),
    ...{
      tools,
      tellsTools: Array.isArray(body.tools),
      clipped: isCut ? ["prompt", ...answer.clipped] : answer.clipped,
    },
    request: requestOf(set),
    tellsRequest: false,
    model: textIn(fields.model) ?? textIn(field(fields, "providedModelName")),
    usage: usageOf(fields),
    responseId: firstText(attributes, "gen_ai.response.id", "ai.response.id"),
  };
}

/** Messages, a request's body that has some, items of the responses API, or one text; null where it is none of these. */
function promptOf(input: Json | undefined): RecordedMessage[] | null {
  if (typeof input === "string") return input === "" ? null : [{ role: "user", content: input }];
  if (isObject(input) && typeof input.role !== "string") {
    const listed = input.messages ?? input.input;
    return wholePrompt(input) ?? (listed === undefined || isObject(listed) ? null : promptOf(listed));
  }
  if (Array.isArray(input) && input.some((item) => isObject(item) && /^function_call/.test(String(item.type)))) {
    return WIRES.responses.readCall({ input })?.messages ?? null;
  }
  return chatMessages(withParts(input ?? null));
}

/** Some programs write a message's calls as the text of its content. */
function withParts(messages: Json): Json {
  if (Array.isArray(messages)) return messages.map(withParts);
  if (!isObject(messages) || typeof messages.content !== "string" || messages.role === "user") return messages;
  return { ...messages, content: partsInText(messages.content) };
}

function withInstructions(prompt: RecordedMessage[] | null, given: Json | undefined): RecordedMessage[] | null {
  if (prompt === null || typeof given !== "string" || prompt.some(({ role }) => role === "system")) return prompt;
  return [{ role: "system", content: given }, ...prompt];
}

interface Answer extends Pick<CallTexts, "finishReason" | "clipped"> {
  message: RecordedMessage | null;
}

function answerOf(output: Json | undefined, written: Json | undefined): Answer {
  const said = (message: RecordedMessage | null, finishReason: string | null = null): Answer => ({
    ...{ message, finishReason, clipped: [] },
  });
  if (output === undefined || output === null || output === "") return said(null);
  if (typeof output === "string") {
    // Whether the model wrote half of a JSON, or half of what it wrote was kept, nobody can tell.
    const isCut = BEGINS_AS_JSON.test(output);
    return { ...said({ role: "assistant", content: output }), clipped: isCut ? ["answer"] : [] };
  }
  const body = isObject(output) ? (WIRES.chat.readAnswer(output) ?? WIRES.responses.readAnswer(output)) : null;
  if (body !== null) return said(body.message, body.finishReason);
  const list = [output].flat();
  const calls = list.flatMap((one) => (isObject(one) && typeof one.toolName === "string" ? [one] : []));
  if (calls.length === list.length && calls.length > 0) {
    return said(joinedAnswer(chatMessages({ content: calls.map(asCall) }, "assistant") ?? []));
  }
  const isMessages = list.every((one) => isObject(one) && ["role", "content", "tool_calls"].some((key) => key in one));
  const messages = isMessages ? chatMessages(withParts(list), "assistant") : null;
  const [first] = list;
  if (messages !== null) return said(joinedAnswer(messages), textIn(isObject(first) ? first.finish_reason : null));
  if (typeof written === "string") return said({ role: "assistant", content: written });
  // The text that the model wrote was parsed and is not there.
  return { message: { role: "assistant", content: JSON.stringify(output) }, finishReason: null, clipped: ["answer"] };
}

/** The AI SDK's calls. */
function asCall(call: JsonObject): JsonObject {
  return { ...call, type: "tool-call" };
}

function toolsIn(given: { fields: JsonObject; input: Json | undefined; body: JsonObject }): CallTexts["tools"] {
  const { fields, input, body } = given;
  const metadata = objectIn(plainField(fields, "metadata"));
  const defined = Object.entries(objectIn(plainField(fields, "toolDefinitions"))).map(([name, tool]) => ({
    ...objectIn(typeof tool === "string" ? argumentsIn(tool) : tool),
    name,
  }));
  const lists = [defined, isObject(input) ? input.tools : null, body.tools, metadata.tools];
  return lists.map(chatTools).find((tools) => tools !== null) ?? null;
}

/** What the SDKs set beside the request's own parameters. */
const NO_PARAMETERS = new Set(["id", "created_at", "instructions", "metadata", "billing", "finishReason", "system"]);

/** Values come as text where their column has but one type. */
function requestOf(set: JsonObject): Record<string, Json> {
  const entries = Object.entries(set).filter(([key]) => !NO_PARAMETERS.has(key));
  return chatRequest(
    entries.map(([key, value]) => [key, typeof value === "string" ? unquoted(value) : value] as const),
  );
}

function unquoted(text: string): Json {
  const read = parseJson(text);
  return "value" in read ? read.value : text;
}

/** Kinds of tokens are counted apart under names that begin alike. */
function usageOf(fields: JsonObject): Turn["usage"] {
  const details = objectIn(plainField(fields, "usageDetails"));
  const sum = (start: string) => {
    const counts = Object.entries(details).flatMap(([key, value]) => {
      const count = countIn(typeof value === "string" ? Number(value) : value);
      return key.startsWith(start) && count !== null ? [count] : [];
    });
    return counts.length === 0 ? null : sumOf(counts);
  };
  const usage = objectIn(fields.usage);
  const promptTokens = sum("input") ?? countIn(usage.input ?? field(fields, "promptTokens"));
  const completionTokens = sum("output") ?? countIn(usage.output ?? field(fields, "completionTokens"));
  return promptTokens === null || completionTokens === null ? null : { promptTokens, completionTokens };
}

function toolOf(fields: JsonObject, attributes: Attributes): ToolContent {
  const input = plainField(fields, "input") ?? null;
  const output = field(fields, "output") ?? null;
  const name = firstText(attributes, "gen_ai.tool.name", "ai.toolCall.name", "tool.name") ?? textIn(fields.name);
  return {
    name: name ?? "",
    callId: firstText(attributes, "gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id"),
    given: input === null ? null : (argumentsIn(input) ?? { input }),
    result: output === null ? null : resultText(output),
  };
}
