/**
 * What a file of Langfuse holds: traces, observations and scores, each by itself, whether they came as the download of
 * a trace or session, as an answer of its API, or as the rows of an export. Names of fields are in camel or snake case.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Rejected } from "../foreign.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { isObject, type JsonObject, textIn, timeIn } from "../reading/shapes.ts";

export interface Member {
  where: string;
  type: "trace" | "observation" | "score";
  /** The trace that it is of, or the session of a score that is of no trace. */
  group: string | null;
  fields: JsonObject;
}

/** Yields the members of a record; whatever is none is rejected. */
export function* membersIn(value: Json, where: string): Generator<Member | Rejected> {
  if (!isObject(value)) yield rejected(where, "it is no trace, observation or score");
  else if (Array.isArray(value.data)) yield* each(value.data, `${where}/data`, membersIn);
  else if (Array.isArray(value.traces)) {
    yield* each(value.traces, `${where}/traces`, wholeTrace);
    yield* heldMembers(value, where);
  } else if (isObject(value.trace)) {
    yield* wholeTrace(value.trace, `${where}/trace`);
    yield* heldMembers(value, where, traceOf(value.trace));
  } else if (isScore(value)) yield member("score", value, where);
  else if (isObservation(value)) yield member("observation", value, where);
  else if (isTrace(value)) yield* wholeTrace(value, where);
  else yield rejected(where, "it is no trace, observation or score");
}

/** Whether a record could be one of Langfuse's. */
export function holdsMembers(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { data, traces, trace = Array.isArray(traces) ? traces[0] : undefined } = value;
  if (Array.isArray(data)) return data.length > 0 && holdsMembers(data[0]);
  // What stands beside a trace is its own as what it has in it.
  if (trace !== undefined) return isObject(trace) && isTrace({ ...value, ...trace });
  return isScore(value) || isObservation(value) || isTrace(value);
}

/** A field by its name in camel case, or in snake case as exports have it. */
export function field(object: JsonObject, name: string): Json | undefined {
  return object[name] ?? object[snakeCase(name)];
}

/** Of the few names that are asked for. */
const snakeNames = new Map<string, string>();

function snakeCase(name: string): string {
  const snake = snakeNames.get(name) ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snakeNames.set(name, snake);
  return snake;
}

/** A field that some exports have as the JSON of a list, an object or a text; a text that is none of these is itself. */
export function plainField(object: JsonObject, name: string): Json | undefined {
  const value = field(object, name);
  if (typeof value !== "string") return value;
  const outer = parsed(value);
  // The download of a trace has its own input and output as text in text.
  return typeof outer === "string" && outer !== value ? parsed(outer) : outer;
}

function parsed(text: string): Json {
  const read = /^\s*[[{"]/.test(text) ? parseJson(text) : { reason: "" };
  return "value" in read ? read.value : text;
}

/** Times of exports have no zone and are UTC. */
export function msOf(object: JsonObject, name: string): number | null {
  const value = field(object, name);
  const isBare = typeof value === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(value);
  return timeIn(isBare ? `${value.replace(" ", "T").replace(/(\.\d{3})\d+$/, "$1")}Z` : value)?.getTime() ?? null;
}

function isTrace(value: JsonObject): boolean {
  const { id, timestamp, observations, scores } = value;
  const isOwn = Array.isArray(observations) || Array.isArray(scores) || typeof field(value, "projectId") === "string";
  return typeof id === "string" && typeof timestamp === "string" && isOwn && value.type === undefined;
}

function isObservation(value: JsonObject): boolean {
  const isNamed = typeof field(value, "traceId") === "string" && typeof value.id === "string";
  return isNamed && typeof value.type === "string" && field(value, "startTime") !== undefined;
}

function isScore(value: JsonObject): boolean {
  const isGiven = typeof value.source === "string" && typeof value.name === "string" && "value" in value;
  return isGiven && (field(value, "traceId") !== undefined || field(value, "sessionId") !== undefined);
}

/** A trace with the observations and scores that it has in it. */
function* wholeTrace(trace: Json, where: string): Generator<Member | Rejected> {
  if (!isObject(trace) || typeof trace.id !== "string") {
    yield rejected(where, "it is no trace");
    return;
  }
  const { observations: _, scores: __, corrections: ___, ...fields } = trace;
  yield member("trace", fields, where);
  yield* heldMembers(trace, where, traceOf(trace));
}

/** The observations and scores in a trace, or beside one or several; `trace` is whose those are that do not say it. */
function* heldMembers(
  { observations = [], scores = [], corrections = [] }: JsonObject,
  where: string,
  trace: JsonObject = {},
): Generator<Member | Rejected> {
  const of = (type: Member["type"]) => (value: Json, at: string) => [
    isObject(value) ? member(type, { ...trace, ...value }, at) : rejected(at, `the ${type} is only named`),
  ];
  yield* each(observations, `${where}/observations`, of("observation"));
  yield* each(scores, `${where}/scores`, of("score"));
  yield* each(corrections, `${where}/corrections`, (value, at) =>
    of("score")(isObject(value) ? { dataType: "CORRECTION", ...value } : value, at),
  );
}

function traceOf({ id = null }: JsonObject): JsonObject {
  return { traceId: id };
}

function* each(
  list: Json,
  where: string,
  read: (value: Json, where: string) => Iterable<Member | Rejected>,
): Generator<Member | Rejected> {
  if (!Array.isArray(list)) {
    if (list !== null) yield rejected(where, "it is no list");
    return;
  }
  for (const [i, value] of list.entries()) yield* read(value, `${where}/${i}`);
}

function member(type: Member["type"], fields: JsonObject, where: string): Member {
  const trace = textIn(type === "trace" ? fields.id : field(fields, "traceId"));
  const session = textIn(field(fields, "sessionId"));
  return { where, type, fields, group: trace ?? (type === "score" && session !== null ? `session ${session}` : null) };
}
