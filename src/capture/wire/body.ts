/**
 * What a call and its answer say, whichever of OpenAI's APIs they came over, and how bodies of unknown shape are read.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn, TurnPart, WireApi } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { countIn, isObject, type JsonObject, objectsIn, textIn } from "../reading/shapes.ts";

export interface SentCall {
  api: WireApi;
  messages: RecordedMessage[];
  /** How many of the first messages are said to this call alone: a call that goes on from its answer does not hear them. */
  ownMessages: number;
  tools: RecordedTool[] | null;
  /** The body without its messages and tools. */
  request: JsonObject;
  isStream: boolean;
  /** The id of the answer that this call goes on from on the server's side: its messages come before these. */
  previousResponse: string | null;
  /** What the call leaves to the server's memory: it names it and does not hold it. */
  missing: readonly TurnPart[];
}

export interface GivenAnswer {
  message: RecordedMessage;
  /** False where the message has no place for a part of the answer. */
  isWhole: boolean;
  finishReason: string | null;
  usage: { promptTokens: number; completionTokens: number } | null;
  model: string | null;
  /** The server's id of the answer. */
  id: string | null;
  /** Where the server gives them, as vLLM does when it is asked for `return_token_ids`. */
  tokenIds: Turn["tokenIds"];
  /** The body without the message. */
  response: Json;
}

/** One API: how its bodies are read, and how a stream of it is put together. */
export interface Wire {
  /** Null where the body is none that the API takes. */
  readCall(body: JsonObject): SentCall | null;
  /** Null where the body is no answer. */
  readAnswer(body: JsonObject): GivenAnswer | null;
  /** Whether a body, or an event of a stream, says that something went wrong on the server's side. */
  isError(body: JsonObject): boolean;
  /** Whether a stream goes on after the answer's end, until it says `[DONE]`. */
  saysDone: boolean;
  /** Shapes: `choices` is how many answers were asked for. */
  openStream(choices: number): StreamJoin;
}

/** Puts the events of a stream together to the body that a call without streaming would have given. */
export interface StreamJoin {
  /** Takes an event's data; true from the event on after which no more of the answer comes. */
  take(data: JsonObject): boolean;
  /** The whole body; null where nothing came that it could be made of. */
  body(): JsonObject | null;
}

/** The tools of a call, where all of them say of what kind they are. */
export function toolsIn(value: unknown): RecordedTool[] | null {
  const tools = objectsIn(value);
  return tools.length > 0 && tools.every(({ type }) => typeof type === "string") ? (tools as RecordedTool[]) : null;
}

/** Token counts, under the names that either kind of API gives them. */
export function usageIn(usage: unknown): GivenAnswer["usage"] {
  if (!isObject(usage)) return null;
  const promptTokens = countIn(usage.prompt_tokens ?? usage.input_tokens);
  const completionTokens = countIn(usage.completion_tokens ?? usage.output_tokens);
  return promptTokens !== null && completionTokens !== null ? { promptTokens, completionTokens } : null;
}

/** An error as chat and text completions have it, in a body as in a stream; vLLM long had it without a key around it. */
export function hasError({ error = null, object }: JsonObject): boolean {
  return error !== null || object === "error";
}

/** Keys that many servers write `null` for where there is nothing: the record leaves them out. */
export function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/**
 * An answer that is the first of a body's choices; its text is where the API has it. Of several choices nothing says which of
 * them was used, and what came of it: the first is not the whole answer.
 */
export function choiceAnswer(
  body: JsonObject,
  messageOf: (choice: JsonObject) => { message: RecordedMessage; rest: JsonObject } | null,
): GivenAnswer | null {
  const [choice] = objectsIn(body.choices);
  const said = choice === undefined ? null : messageOf(choice);
  if (said === null) return null;
  const [, ...others] = body.choices as JsonObject[];
  return {
    ...{ message: said.message, isWhole: others.length === 0 },
    finishReason: textIn(choice?.finish_reason),
    usage: usageIn(body.usage),
    model: textIn(body.model),
    id: textIn(body.id),
    tokenIds: tokenIdsIn(body.prompt_token_ids ?? choice?.prompt_token_ids, choice?.token_ids),
    response: { ...body, choices: [said.rest, ...others] },
  };
}

function tokenIdsIn(prompt: unknown, completion: unknown): Turn["tokenIds"] {
  const ids = { prompt: idsIn(prompt), completion: idsIn(completion) };
  return ids.prompt === null && ids.completion === null ? undefined : ids;
}

/** A list of token ids; null where it is none. */
function idsIn(value: unknown): number[] | null {
  return Array.isArray(value) && value.length > 0 && value.every((id) => countIn(id) !== null) ? value : null;
}

/**
 * Adds a streamed delta to what came before: texts and lists are strung together, entries that carry an `index` are
 * added to the entry of that index, and everything else is what came last.
 */
export function addDelta(sum: JsonObject, delta: JsonObject): void {
  for (const [key, value] of Object.entries(delta)) {
    const before = Object.hasOwn(sum, key) ? sum[key] : undefined;
    const joined = joinedValue(before, value);
    Object.defineProperty(sum, key, { value: joined, enumerable: true, configurable: true, writable: true });
  }
}

/** Adds what a chunk says of a choice: a text completion's own text grows, every other text is what came last. */
export function addChoice(sum: JsonObject, choice: JsonObject): void {
  for (const [key, value] of Object.entries(choice)) {
    if (typeof value === "string" && key !== "text") delete sum[key];
  }
  addDelta(sum, choice);
}

/** Texts that name something come whole in every delta that has them. */
const WHOLE_KEYS = new Set(["id", "type", "role", "name"]);

function joinedValue(before: Json | undefined, value: Json): Json {
  if (value === null) return before ?? null;
  if (typeof value === "string" && typeof before === "string") return before + value;
  if (Array.isArray(value)) return joinedList(Array.isArray(before) ? before : [], value);
  if (isObject(value)) {
    const sum = isObject(before) ? before : {};
    addDelta(sum, value);
    return sum;
  }
  return value;
}

function joinedList(sum: Json[], values: Json[]): Json[] {
  for (const value of values) {
    const index = isObject(value) ? value.index : undefined;
    const same = typeof index === "number" ? sum.findLast((one) => isObject(one) && one.index === index) : undefined;
    if (isObject(same) && isObject(value) && !isOtherCall(same, value)) addIndexed(same, value);
    else sum.push(structuredClone(value));
  }
  return sum;
}

/** Some servers (Ollama) give each call the same index: one with another id, and a name of its own, is another. Ids alone may change (vLLM). */
function isOtherCall(sum: JsonObject, { id, function: called }: JsonObject): boolean {
  const isNamed = isObject(called) && typeof called.name === "string" && called.name !== "";
  return isNamed && typeof id === "string" && id !== "" && typeof sum.id === "string" && sum.id !== "" && id !== sum.id;
}

function addIndexed(sum: JsonObject, delta: JsonObject): void {
  const { index: _, ...rest } = delta;
  for (const key of WHOLE_KEYS) {
    if (typeof sum[key] === "string" && sum[key] !== "" && typeof rest[key] === "string") delete rest[key];
  }
  const called = sum.function;
  const call = rest.function;
  if (isObject(called) && isObject(call) && typeof called.name === "string" && call.name === called.name) {
    rest.function = Object.fromEntries(Object.entries(call).filter(([key]) => key !== "name"));
  }
  addDelta(sum, rest);
}
