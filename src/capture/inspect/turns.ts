/**
 * The turns and actions of an Inspect sample. Each `model` event is a call: its prompt is listed, or refers to a pool of
 * the sample's messages. Without such events the answers in the sample's conversation are the turns.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Turn, TurnPart } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { ForeignAction, ForeignFailure, ForeignPlace, ForeignTurn } from "../foreign.ts";
import { type AnswerFacts, conversationRecords } from "../reading/conversation.ts";
import { finishReasonOf, functionTool } from "../reading/message-parts.ts";
import {
  countIn,
  isObject,
  type JsonObject,
  numberIn,
  objectIn,
  objectsIn,
  textIn,
  timeIn,
} from "../reading/shapes.ts";
import type { ReadMessage, SampleMessages } from "./messages.ts";
import { flatEvents, openScopes, type Scope } from "./scopes.ts";

export interface TurnSetting {
  place: ForeignPlace;
  messages: SampleMessages;
  /** Of every turn. */
  flags: readonly string[];
  /** Sampling that the log says of all samples. */
  config: JsonObject;
  /** False where the sample's conversation tells of its turns and actions, and the events of its scorers' calls alone. */
  hasTurns: boolean;
}

export type TurnRecord = ForeignTurn | ForeignAction | ForeignFailure;

/** Prompts of one sample, all together: a pool of messages may be referred to any number of times. */
export const MOST_PROMPT_MESSAGES = 10_000_000;

/** What the events of a sample say of who called a model. */
export function callersOf(events: Json | undefined): { hasTurns: boolean; scorers: Set<string> } {
  const scopes = openScopes();
  const scorers = new Set<string>();
  let hasTurns = false;
  for (const [event] of flatEvents(events)) {
    scopes.take(event);
    if (event.event !== "model") continue;
    const { scorer } = scopes.of(event);
    if (scorer === null) hasTurns = true;
    else scorers.add(scorer);
  }
  return { hasTurns, scorers };
}

/** The calls and actions of a sample's events; ends early once its prompts are over the limit, and returns whether they are. */
export function* eventRecords(sample: JsonObject, setting: TurnSetting): Generator<TurnRecord, boolean> {
  const scopes = openScopes();
  const promptOf = openPrompts(sample, setting.messages);
  let promptMessages = 0;
  for (const [event, isWithinTool] of flatEvents(sample.events)) {
    scopes.take(event);
    if (event.event === "tool" && event.pending !== true && setting.hasTurns) yield actionOf(event, setting);
    if (event.event !== "model") continue;
    const prompt = promptOf(event, MOST_PROMPT_MESSAGES - promptMessages);
    if (prompt === null) return true;
    promptMessages += prompt.messages.length;
    yield* callRecords(event, { prompt, role: roleOf(event, scopes.of(event), isWithinTool), ...setting });
  }
  return false;
}

interface Prompt {
  messages: RecordedMessage[];
  isWhole: boolean;
}

/** Returns a function that reads a call's prompt; null where it has more messages than it may. */
function openPrompts(
  sample: JsonObject,
  messages: SampleMessages,
): (event: JsonObject, mostMessages: number) => Prompt | null {
  const held = objectIn(sample.events_data).messages ?? sample.message_pool;
  const pool = Array.isArray(held) ? held : [];
  const known = new Map<number, ReadMessage | null>();

  function pooled(at: number): ReadMessage | null {
    const read = known.get(at) ?? messages.read(pool[at] ?? null);
    known.set(at, read);
    return read;
  }

  return (event, mostMessages) => {
    const listed = Array.isArray(event.input) ? event.input : [];
    const ranges = Array.isArray(event.input_refs) ? event.input_refs.map((ref) => rangeOf(ref, pool.length)) : [];
    const length = ranges.reduce((sum, range) => sum + (range === null ? 0 : range[1] - range[0]), listed.length);
    if (length > mostMessages) return null;
    const read = listed.map((message) => messages.read(message));
    for (const range of ranges) {
      if (range === null) read.push(null);
      else for (let at = range[0]; at < range[1]; at++) read.push(pooled(at));
    }
    const found = read.filter((message) => message !== null);
    const isWhole = found.length > 0 && found.length === read.length && found.every((message) => message.isWhole);
    return { messages: found.map(({ message }) => message), isWhole };
  };
}

/** From and to, the latter not in it; null where it is none within the pool. */
function rangeOf(ref: Json, length: number): [number, number] | null {
  const [from, to] = Array.isArray(ref) ? ref : [ref, typeof ref === "number" ? ref + 1 : null];
  const start = countIn(from);
  const end = countIn(to);
  return start !== null && end !== null && start <= end && end <= length ? [start, end] : null;
}

function roleOf(event: JsonObject, { scorer, agent }: Scope, isWithinTool: boolean): string {
  const role = textIn(event.role);
  return role ?? (scorer !== null ? "scorer" : (agent ?? (isWithinTool ? "subagent" : "worker")));
}

function* callRecords(
  event: JsonObject,
  { prompt, role, ...setting }: TurnSetting & { prompt: Prompt; role: string },
): Generator<TurnRecord> {
  const { messages } = setting;
  const place = { ...setting.place, at: timeIn(event.timestamp) };
  const output = objectIn(event.output);
  const error = textIn(event.error);
  const answers = objectsIn(output.choices).map((choice) => ({ choice, read: messages.read(choice.message ?? null) }));
  const call = {
    ...place,
    role,
    messages: prompt.messages,
    tools: toolsOf(event.tools, messages),
    request: requestOf(event),
  };
  const missing: TurnPart[] = [
    ...(prompt.isWhole ? [] : ["prompt" as const]),
    ...(Array.isArray(event.tools) ? [] : ["tools" as const]),
    ...(isObject(event.config) ? [] : ["sampling" as const]),
  ];
  // The first choice is the one that the sample goes on from, so its turn comes last.
  for (const [i, { choice, read }] of [...answers.entries()].slice(1).reverse()) {
    const flags = [...setting.flags, ...(read?.flags ?? []), `choice-${i + 1}`];
    const facts = { finishReason: finishReasonOf(textIn(choice.stop_reason)), model: modelOf(event) };
    const lost = read?.isWhole ? missing : [...missing, "answer" as const];
    yield { kind: "turn", ...call, response: read?.message ?? null, ...facts, missing: lost, flags };
  }
  const read = answers[0]?.read ?? null;
  const isLost = read === null ? error === null : !read.isWhole;
  yield {
    ...{ kind: "turn", ...call, response: read?.message ?? null, ...outputFacts(output), model: modelOf(event) },
    latencyMs: millisecondsOf(output.time) ?? elapsedMs(event),
    missing: isLost ? [...missing, "answer"] : missing,
    flags: [
      ...setting.flags,
      ...(read?.flags ?? []),
      ...(event.cache === "read" ? ["cache-read"] : []),
      ...(event.pending === true ? ["pending"] : []),
    ],
  };
  if (error !== null) yield { kind: "failure", boundary: "model", code: "CALL_FAILED", message: error, place };
}

function modelOf({ output, model }: JsonObject): string | null {
  return textIn(objectIn(output).model) || textIn(model);
}

/** What was set for the call, without headers, which may hold secrets. */
function requestOf({ config, tool_choice }: JsonObject): Record<string, Json> {
  const { extra_headers: _, ...request } = objectIn(config);
  return { ...request, ...(tool_choice !== undefined && tool_choice !== null && { tool_choice }) };
}

function toolsOf(tools: Json | undefined, messages: SampleMessages): RecordedTool[] {
  return objectsIn(tools)
    .map((tool) => objectIn(messages.fill(tool)))
    .map(({ name, description, parameters }) => functionTool(textIn(name) ?? "", textIn(description), parameters));
}

function outputFacts(output: JsonObject): Pick<AnswerFacts, "finishReason" | "usage"> {
  const [choice] = objectsIn(output.choices);
  return { finishReason: finishReasonOf(textIn(choice?.stop_reason)), usage: usageOf(output.usage) };
}

/** Some providers count what was read from a cache apart from the rest of the prompt: the total tells which do. */
function usageOf(usage: Json | undefined): Turn["usage"] {
  const { input_tokens, output_tokens, total_tokens, input_tokens_cache_write, input_tokens_cache_read } =
    objectIn(usage);
  const promptTokens = countIn(input_tokens);
  const completionTokens = countIn(output_tokens);
  if (promptTokens === null || completionTokens === null) return null;
  const withCache = promptTokens + (countIn(input_tokens_cache_write) ?? 0) + (countIn(input_tokens_cache_read) ?? 0);
  const isApart = withCache + completionTokens === total_tokens;
  return { promptTokens: isApart ? withCache : promptTokens, completionTokens };
}

function actionOf(event: JsonObject, { place, messages }: TurnSetting): ForeignAction {
  const error = textIn(objectIn(event.error).message);
  return {
    ...{ kind: "action", ...place, at: timeIn(event.timestamp) },
    call: { name: textIn(event.function) ?? "", arguments: objectIn(messages.fill(event.arguments ?? {})) },
    ...{ exitCode: null, ...(error !== null && { isError: true }) },
    stdout: resultText(messages.fill(event.result ?? "")),
    stderr: error ?? "",
    durationMs: elapsedMs(event) ?? 0,
  };
}

function resultText(result: Json): string {
  if (typeof result === "string" || Array.isArray(result)) return textOf(result);
  return JSON.stringify(result);
}

function elapsedMs({ working_time, timestamp, completed }: JsonObject): number | null {
  const from = timeIn(timestamp);
  const to = timeIn(completed);
  return millisecondsOf(working_time) ?? (from && to ? Math.max(0, to.getTime() - from.getTime()) : null);
}

function millisecondsOf(seconds: Json | undefined): number | null {
  const count = numberIn(seconds);
  return count === null || count < 0 ? null : count * 1000;
}

/** The answers in a sample's conversation; what was asked and set for each of them is not known. */
export function* conversationOf(sample: JsonObject, setting: TurnSetting): Generator<TurnRecord> {
  const { messages, place, config } = setting;
  const output = objectIn(sample.output);
  const answer = objectsIn(output.choices)[0]?.message;
  const held = Array.isArray(sample.messages) ? sample.messages : [];
  const isAnswerAlone = answer !== undefined && !objectsIn(held).some(({ role }) => role === "assistant");
  const all = isAnswerAlone ? [...inputOf(sample), answer] : held;
  const last = objectsIn(all).findLast(({ role }) => role === "assistant");
  const answers = new Map<number, AnswerFacts | null>();
  const read: RecordedMessage[] = [];
  let isWhole = !isAnswerAlone;
  for (const given of all) {
    const message = messages.read(given);
    if (message === null) isWhole = false;
    else {
      const isGiven = objectIn(given).source === "input";
      const facts = given === last && JSON.stringify(given) === JSON.stringify(answer) ? finalFacts(output) : {};
      const lost = [...(isWhole ? [] : ["prompt" as const]), ...(message.isWhole ? [] : ["answer" as const])];
      answers.set(
        read.length,
        isGiven ? null : { ...facts, missing: lost, flags: [...setting.flags, ...message.flags] },
      );
      read.push(message.message);
      isWhole &&= message.isWhole;
    }
  }
  const request = requestOf({ config });
  yield* conversationRecords({
    ...place,
    messages: read,
    tools: null,
    request,
    missing: ["tools", "sampling"],
    answers,
  });
}

function finalFacts(output: JsonObject): AnswerFacts {
  return { ...outputFacts(output), model: textIn(output.model), latencyMs: millisecondsOf(output.time) };
}

/** What a sample begins with. */
export function inputOf({ input }: JsonObject): Json[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  return Array.isArray(input) ? input : [];
}
