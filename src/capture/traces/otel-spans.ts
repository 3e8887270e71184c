/**
 * Spans of OpenTelemetry, as OTLP/JSON has them (`resourceSpans`), as the SDKs of JavaScript and Python print them, or as
 * a bare map of attributes; and GenAI events that came as log records (`resourceLogs`), each as a span of its own that
 * has nothing but the event. Does not know what an attribute means.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Rejected } from "../foreign.ts";
import { rejected } from "../reading/json.ts";
import { isObject, type JsonObject, numberIn, objectIn, objectsIn, textIn, timeIn } from "../reading/shapes.ts";

export type Attributes = ReadonlyMap<string, Json>;

export interface Span {
  where: string;
  trace: string | null;
  id: string | null;
  parent: string | null;
  name: string;
  startMs: number | null;
  endMs: number | null;
  attributes: Attributes;
  events: readonly SpanEvent[];
  error: { message: string } | null;
  /** Attributes or events were dropped, as there were too many. */
  isClipped: boolean;
  service: string | null;
  /** The library that made it. */
  scope: string | null;
  /** It stands for a log record. */
  isLog: boolean;
}

export interface SpanEvent {
  name: string;
  atMs: number | null;
  attributes: Attributes;
}

type Around = Pick<Span, "service" | "scope">;

const NOWHERE: Around = { service: null, scope: null };
/** A map of attributes alone is known by these. */
const TELLING_KEY = /^(gen_ai\.|llm\.|openinference\.|ai\.operationId$)/;

/** The spans of a record; whatever is none is rejected, and metrics are passed over. */
export function* spansIn(value: Json, where: string): Generator<Span | Rejected> {
  if (!isObject(value)) yield rejected(where, "it is no span");
  else if (Array.isArray(value.resourceSpans)) yield* resourceSpans(value.resourceSpans, `${where}/resourceSpans`);
  else if (Array.isArray(value.resourceLogs)) yield* resourceLogs(value.resourceLogs, `${where}/resourceLogs`);
  else if (Array.isArray(value.resourceMetrics)) return;
  else if (isSpan(value)) yield spanOf(value, where, NOWHERE);
  else if (isAttributeMap(value)) yield spanOf({ attributes: value }, where, NOWHERE);
  else yield rejected(where, "it is no span");
}

/** Whether a record could hold spans. */
export function holdsSpans(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (Array.isArray(value.resourceSpans)) return true;
  if (Array.isArray(value.resourceLogs)) return JSON.stringify(value.resourceLogs).includes('"gen_ai.');
  return isSpan(value) || isAttributeMap(value);
}

function isSpan(value: JsonObject): boolean {
  const { spanContext, context, attributes } = value;
  const isNamed = typeof value.name === "string" && (isObject(attributes) || Array.isArray(attributes));
  const named = isObject(spanContext) ? spanContext : isObject(context) ? context : value;
  return isNamed && typeof (named.traceId ?? named.trace_id) === "string";
}

function isAttributeMap(value: JsonObject): boolean {
  return Object.keys(value).some((key) => TELLING_KEY.test(key));
}

function* resourceSpans(list: Json[], where: string): Generator<Span | Rejected> {
  for (const [resource, at] of yield* membersOf(list, where)) {
    const service = serviceOf(resource);
    const scopes = resource.scopeSpans ?? resource.instrumentationLibrarySpans;
    for (const [scoped, inScope] of yield* membersOf(scopes, `${at}/scopeSpans`)) {
      const around = { service, scope: textIn(objectIn(scoped.scope ?? scoped.instrumentationLibrary).name) };
      for (const [span, place] of yield* membersOf(scoped.spans, `${inScope}/spans`)) yield spanOf(span, place, around);
    }
  }
}

function* resourceLogs(list: Json[], where: string): Generator<Span | Rejected> {
  for (const [resource, at] of yield* membersOf(list, where)) {
    const service = serviceOf(resource);
    for (const [scoped, inScope] of yield* membersOf(resource.scopeLogs, `${at}/scopeLogs`)) {
      const around = { service, scope: textIn(objectIn(scoped.scope).name) };
      for (const [log, place] of yield* membersOf(scoped.logRecords, `${inScope}/logRecords`)) {
        yield* logSpan(log, place, around);
      }
    }
  }
}

/** The objects of a list with their places; yields what of it is none. */
function* membersOf(list: Json | undefined, where: string): Generator<Rejected, [JsonObject, string][]> {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) {
    yield rejected(where, "it is no list");
    return [];
  }
  const members: [JsonObject, string][] = [];
  for (const [i, value] of list.entries()) {
    if (isObject(value)) members.push([value, `${where}/${i}`]);
    else yield rejected(`${where}/${i}`, "it is no object");
  }
  return members;
}

function serviceOf({ resource }: JsonObject): string | null {
  return textIn(attributesIn(objectIn(resource).attributes).get("service.name"));
}

function spanOf(span: JsonObject, where: string, around: Around): Span {
  const { spanContext, context, parentSpanContext, status } = span;
  const ids = isObject(spanContext) ? spanContext : isObject(context) ? context : span;
  const attributes = attributesIn(span.attributes);
  const kind = textIn(span.span_kind);
  if (kind !== null && !attributes.has("openinference.span.kind")) attributes.set("openinference.span.kind", kind);
  const dropped = [span.droppedAttributesCount, span.droppedEventsCount];
  const parent = span.parentSpanId ?? span.parent_id ?? objectIn(parentSpanContext).spanId;
  return {
    where,
    trace: idIn(ids.traceId ?? ids.trace_id),
    id: idIn(ids.spanId ?? ids.span_id),
    parent: idIn(parent),
    name: textIn(span.name) ?? "",
    startMs: msIn(span.startTimeUnixNano ?? span.startTime ?? span.start_time),
    endMs: msIn(span.endTimeUnixNano ?? span.endTime ?? span.end_time),
    attributes,
    events: objectsIn(span.events).map(eventOf),
    error: errorOf(
      isObject(status) ? status : { code: span.status_code ?? null, message: span.status_message ?? null },
    ),
    isClipped: dropped.some((count) => Number(count) > 0),
    service: around.service ?? (isObject(span.resource) ? serviceOf(span) : null),
    scope: around.scope ?? textIn(objectIn(span.instrumentationScope ?? span.instrumentationLibrary).name),
    isLog: false,
  };
}

function eventOf(event: JsonObject): SpanEvent {
  const atMs = msIn(event.timeUnixNano ?? event.time ?? event.timestamp);
  return { name: textIn(event.name) ?? "", atMs, attributes: attributesIn(event.attributes) };
}

/** A log record that is a GenAI event; its body is what its attributes are of other events. */
function* logSpan(log: JsonObject, where: string, around: Around): Generator<Span> {
  const attributes = attributesIn(log.attributes);
  const name = textIn(log.eventName) ?? textIn(attributes.get("event.name")) ?? "";
  if (!name.startsWith("gen_ai.")) return;
  for (const [key, value] of Object.entries(objectIn(plainValue(log.body)))) attributes.set(key, value);
  const atMs = msIn(log.timeUnixNano) ?? msIn(log.observedTimeUnixNano);
  yield {
    ...{ where, ...around, trace: idIn(log.traceId), id: idIn(log.spanId), parent: null, name: "", isLog: true },
    ...{ startMs: atMs, endMs: atMs, attributes: new Map(), events: [{ name, atMs, attributes }] },
    ...{ error: null, isClipped: Number(log.droppedAttributesCount) > 0 },
  };
}

/** Python prints ids with `0x`; an id of zeros is none. */
function idIn(value: Json | undefined): string | null {
  const id = textIn(value)?.replace(/^0x/, "") ?? "";
  return /^0*$/.test(id) ? null : id;
}

/** Milliseconds since 1970 of a time in any of the ways that spans have: `[seconds, nanoseconds]` too. */
function msIn(value: Json | undefined): number | null {
  if (Array.isArray(value)) {
    const [seconds, nanoseconds] = value.map(numberIn);
    const ms = (seconds ?? Number.NaN) * 1000 + (nanoseconds ?? Number.NaN) / 1e6;
    return timeIn(ms) === null ? null : ms;
  }
  const ms = timeIn(value)?.getTime() ?? null;
  const count = Number(value);
  // The order of spans may lie in parts of a millisecond.
  return ms !== null && count > 1e17 ? count / 1e6 : ms;
}

function errorOf({ code, status_code, message, description }: JsonObject): Span["error"] {
  const isError = /^(2|(STATUS_CODE_|StatusCode\.)?ERROR)$/.test(String(code ?? status_code));
  return isError ? { message: textIn(message) ?? textIn(description) ?? "" } : null;
}

function attributesIn(value: Json | undefined): Map<string, Json> {
  if (isObject(value)) return new Map(Object.entries(value));
  return new Map(
    objectsIn(value).flatMap(({ key, value: given }) =>
      typeof key === "string" ? [[key, plainValue(given)] as const] : [],
    ),
  );
}

/** An OTLP AnyValue as plain JSON; any other value as it is. */
function plainValue(value: Json | undefined): Json {
  if (!isObject(value)) return value ?? null;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  const scalar = stringValue ?? boolValue ?? bytesValue;
  if (scalar !== undefined) return scalar;
  if (intValue !== undefined || doubleValue !== undefined) return numberIn(Number(intValue ?? doubleValue));
  if (arrayValue !== undefined) return listIn(objectIn(arrayValue).values).map(plainValue);
  if (kvlistValue === undefined) return value;
  return Object.fromEntries(attributesIn(objectIn(kvlistValue).values ?? []));
}

function listIn(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
