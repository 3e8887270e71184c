/**
 * What a span is: a call to a model, an agent around calls, the use of a tool, an evaluator, or nothing of a run; and
 * what the first of these say, under the names that the GenAI conventions, OpenInference, OpenLLMetry and the Vercel AI
 * SDK give it.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn } from "../../records/events.ts";
import { countIn, isObject, type JsonObject, objectIn, textIn } from "../reading/shapes.ts";
import { joinedAnswer, resultText } from "./chat-messages.ts";
import { chatRequest } from "./chat-request.ts";
import { firstNumber, firstOf, firstText, structured } from "./otel-attributes.ts";
import { contentOf } from "./otel-content.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import { argumentsIn } from "./trace-records.ts";
import type { CallContent, Step, ToolContent } from "./trace-steps.ts";

const DETAILS_EVENT = "gen_ai.client.inference.operation.details";
const CALL_OPERATIONS = new Set(["chat", "generate_content", "text_completion", "completion"]);
const AGENT_OPERATIONS = new Set(["invoke_agent", "invoke_workflow", "create_agent"]);
/** Where nothing says what a span is, these tell a call. */
const CALL_KEY =
  /^(gen_ai\.(prompt|completion|input\.messages|output\.messages|usage)\b|llm\.(input|output)_messages\.)/;

/** Reads a span as a step of its trace. */
export function stepOf(given: Span): Step {
  const span = withDetails(given);
  const kind = kindOf(span);
  const { where, id, parent, name, startMs, endMs } = span;
  return {
    ...{ where, id, parent, name, startMs, endMs, kind },
    agent: agentIn(span, kind),
    error: errorOf(span),
    call: kind === "call" || kind === "agent" ? callOf(span) : null,
    tool: kind === "tool" ? toolOf(span) : null,
  };
}

/** What a call's event says of it in place of the span, so that the two can be kept apart. */
function withDetails(span: Span): Span {
  const details = span.events.filter(({ name }) => name === DETAILS_EVENT);
  if (details.length === 0) return span;
  return {
    ...span,
    attributes: new Map([...details.flatMap(({ attributes }) => [...attributes]), ...span.attributes]),
  };
}

/** What a span is, as its own words for that say, or else its attributes. */
export function kindOf({ attributes, events }: Span): Step["kind"] {
  const said = {
    operation: firstText(attributes, "gen_ai.operation.name"),
    inference: firstText(attributes, "openinference.span.kind")?.toUpperCase() ?? null,
    vercel: firstText(attributes, "ai.operationId"),
    traceloop: firstText(attributes, "traceloop.span.kind"),
    request: firstText(attributes, "llm.request.type"),
  };
  const { operation, inference, vercel, traceloop, request } = said;
  if (operation === "execute_tool" || inference === "TOOL" || traceloop === "tool" || vercel === "ai.toolCall") {
    return "tool";
  }
  if (inference === "EVALUATOR") return "evaluator";
  const isVercelCall = /^ai\.(generate|stream)(Text|Object)(\.do(Generate|Stream))?$/.test(vercel ?? "");
  const isRequest = request === "chat" || request === "completion";
  if (CALL_OPERATIONS.has(operation ?? "") || inference === "LLM" || isRequest || isVercelCall) return "call";
  if (AGENT_OPERATIONS.has(operation ?? "") || inference === "AGENT") return "agent";
  if (traceloop === "agent" || traceloop === "workflow") return "agent";
  if (Object.values(said).some((value) => value !== null)) return "other";
  if (attributes.has("gen_ai.tool.name") && attributes.has("gen_ai.tool.call.id")) return "tool";
  const isCall = [...attributes.keys()].some((key) => CALL_KEY.test(key));
  return isCall || events.some(({ name }) => name === "gen_ai.choice") ? "call" : "other";
}

function agentIn({ attributes, name }: Span, kind: Step["kind"]): string | null {
  const told = firstText(attributes, "gen_ai.agent.name", "agent.name");
  if (told !== null || kind !== "agent") return told;
  const entity = firstText(attributes, "traceloop.entity.name", "graph.node.id");
  return entity ?? name.replace(/^(invoke_agent|create_agent|invoke_workflow) ?/, "");
}

function errorOf({ attributes, error, events }: Span): Step["error"] {
  const type = firstText(attributes, "error.type");
  if (error === null && type === null) return null;
  const exception = events.find(({ name }) => name === "exception")?.attributes ?? new Map<string, Json>();
  const code = type ?? firstText(exception, "exception.type") ?? "ERROR";
  return { code, message: error?.message || (firstText(exception, "exception.message") ?? "") };
}

function callOf(span: Span): CallContent {
  const { attributes } = span;
  const texts = contentOf(span);
  const { request, isWhole } = requestIn(attributes);
  const choices = firstNumber(attributes, "gen_ai.request.choice.count") ?? request.n ?? 1;
  const { answers } = texts;
  return {
    ...texts,
    // Several messages are choices where several were asked for, and otherwise parts of one answer.
    answers: answers === null || Number(choices) > 1 ? answers : [joinedAnswer(answers)],
    finishReason: texts.finishReason ?? finishIn(attributes),
    ...{ request, tellsRequest: isWhole, usage: usageIn(attributes) },
    model: modelOf(span),
    responseId: firstText(attributes, "gen_ai.response.id", "ai.response.id"),
  };
}

/** The model that answered, or else that was asked. */
export function modelOf({ attributes }: Span): string | null {
  return firstText(attributes, ...MODEL_KEYS);
}

const MODEL_KEYS = [
  "gen_ai.response.model",
  "ai.response.model",
  "llm.model_name",
  "gen_ai.request.model",
  "ai.model.id",
];

/** Why the answer ended. */
export function finishIn(attributes: Attributes): string | null {
  const { value } = structured(firstOf(attributes, "gen_ai.response.finish_reasons", "llm.finish_reason"));
  return textIn(Array.isArray(value) ? value[0] : value);
}

/** Counts of tokens, by the two names that each convention gives them. */
const USAGE_KEYS = [
  ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"],
  ["gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"],
  ["llm.token_count.prompt", "llm.token_count.completion"],
  ["ai.usage.inputTokens", "ai.usage.outputTokens"],
  ["ai.usage.promptTokens", "ai.usage.completionTokens"],
] as const;

function usageIn(attributes: Attributes): Turn["usage"] {
  for (const [prompt, completion] of USAGE_KEYS) {
    const promptTokens = countIn(firstNumber(attributes, prompt));
    const completionTokens = countIn(firstNumber(attributes, completion));
    if (promptTokens !== null && completionTokens !== null) return { promptTokens, completionTokens };
  }
  return null;
}

function requestIn(attributes: Attributes): { request: Record<string, Json>; isWhole: boolean } {
  const { value } = structured(attributes.get("llm.invocation_parameters"));
  const set = [...attributes].flatMap(([key, given]): [string, Json][] => {
    const [, name] = /^(?:ai\.settings|gen_ai\.request)\.(.+)$/s.exec(key) ?? [];
    return name === undefined ? [] : [[name, given]];
  });
  const choice = structured(attributes.get("ai.prompt.toolChoice")).value ?? null;
  const model = firstText(attributes, "gen_ai.request.model", "ai.model.id");
  const request = chatRequest([...set, ...Object.entries(objectIn(value)), ["tool_choice", choice], ["model", model]]);
  return { request, isWhole: isObject(value) };
}

function toolOf(span: Span): ToolContent {
  const { attributes, name, events } = span;
  const named = firstText(attributes, "gen_ai.tool.name", "ai.toolCall.name", "tool.name", "traceloop.entity.name");
  const given = structured(firstOf(attributes, ...GIVEN_KEYS)).value;
  const choice = events.find((event) => event.name === "gen_ai.choice")?.attributes;
  const result = firstOf(attributes, ...RESULT_KEYS) ?? choice?.get("message");
  return {
    name: named ?? name.replace(/^execute_tool ?/, ""),
    callId: firstText(attributes, "gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id", "tool.id"),
    given: given === undefined ? null : (argumentsIn(given) ?? asArguments(given)),
    result: result === undefined ? null : resultText(result),
  };
}

const GIVEN_KEYS = [
  "gen_ai.tool.call.arguments",
  "ai.toolCall.args",
  "input.value",
  "traceloop.entity.input",
  "gen_ai.tool.arguments",
  "input",
];
const RESULT_KEYS = [
  "gen_ai.tool.call.result",
  "ai.toolCall.result",
  "output.value",
  "traceloop.entity.output",
  "output",
];

/** Arguments that are no object are the only one. */
function asArguments(input: Json): JsonObject {
  return { input };
}
