/**
 * One trace, or one span that has none: what is known of it as an item, its turns and actions, and its verdicts. Log
 * records are put to the spans that they are of.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { hashJson, hashText, shortHash } from "../../foundation/hashing.ts";
import type { Foreign, ForeignItem, ForeignPlace } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import { isObject } from "../reading/shapes.ts";
import { JUDGED_ALONE, type JudgedSessions } from "./judged-sessions.ts";
import { firstText, structured } from "./otel-attributes.ts";
import { SCORE_SCOPES, scoresOf } from "./otel-scores.ts";
import type { Attributes, Span } from "./otel-spans.ts";
import { kindOf, stepOf } from "./otel-steps.ts";
import { type PlacedScore, scoreRecords, scoreVerdict } from "./scores.ts";
import { traceRecords } from "./trace-records.ts";
import { type StepTree, stepTree } from "./trace-steps.ts";

/** In the order in which they are looked for. */
const SESSION_KEYS = [
  "session.id",
  "gen_ai.conversation.id",
  "langfuse.session.id",
  "ai.telemetry.metadata.sessionId",
  "traceloop.association.properties.session_id",
];
const METADATA_PREFIX = "ai.telemetry.metadata.";
const MOST_DETAIL_CHARACTERS = 2000;

/** Whether a span is of a run at all: spans of databases and of the web are in the same files. */
export function isTelling(span: Span): boolean {
  const kind = kindOf(span);
  if (kind === "call" || kind === "tool" || span.isLog || scoresOf(span).length > 0) return true;
  const { call } = kind === "agent" ? stepOf(span) : { call: null };
  return (call?.prompt ?? call?.answers ?? null) !== null;
}

export interface TraceNumbers {
  /** Numbers the tries at items that no trace tells apart. */
  attemptAt(item: string): number;
  /** The sessions whose traces are attempts of their own. */
  judged: JudgedSessions;
}

/** Says what the spans of one trace hold. */
export function* otelTrace(given: readonly Span[], { attemptAt, judged }: TraceNumbers): Generator<Foreign> {
  const spans = wholeSpans(given);
  const tree = stepTree(spans.map(stepOf));
  const item = itemOf(spans, tree);
  const [session, trace] = [sessionOf(spans), traceOf(spans)];
  const isJudged = session !== null && judged.has(session);
  const isNameless = session === null && trace === null;
  const attempt = isNameless ? attemptAt(item.item) : isJudged ? judged.attemptOf(session, trace ?? "") : 1;
  const place: ForeignPlace = { item: item.item, attempt };
  yield item;
  yield* traceRecords(tree, place);
  yield* scoreRecords(
    spans.flatMap((span) => placedScores(span, isJudged)),
    place,
  );
}

/** The sessions that a span names, and whether it has a score of its trace or of a step in it. */
export function sessionsIn(span: Span): { sessions: string[]; isScored: boolean } {
  const isScored = scoresOf(span).some(({ scope, score }) => scope !== "session" && "verdict" in scoreVerdict(score));
  return { sessions: mapsOf(span).flatMap((attributes) => firstText(attributes, ...SESSION_KEYS) ?? []), isScored };
}

/** Each span once, as it came last, with the log records that are of it as events; records of others stand alone. */
function wholeSpans(given: readonly Span[]): Span[] {
  const byId = new Map<string, Span>();
  const nameless: Span[] = [];
  const isLast = (span: Span) => span.id === null || byId.get(span.id) === span;
  for (const span of given) if (span.id !== null && !span.isLog) byId.set(span.id, span);
  const logs = new Map<string, Span[]>();
  for (const span of given.filter(({ isLog }) => isLog)) {
    const known = logs.get(span.id ?? "");
    if (span.id === null) nameless.push(span);
    else if (known === undefined) logs.set(span.id, [span]);
    else known.push(span);
  }
  const ofSpans = given.filter((span) => !span.isLog && isLast(span));
  const told = ofSpans.map((span) => withLogs(span, logs.get(span.id ?? "") ?? []));
  const alone = [...logs].flatMap(([id, [first, ...others]]) =>
    byId.has(id) || first === undefined ? [] : [withLogs(first, others)],
  );
  return [...told, ...alone, ...nameless];
}

function withLogs(span: Span, logs: readonly Span[]): Span {
  if (logs.length === 0) return span;
  const isClipped = span.isClipped || logs.some((log) => log.isClipped);
  return { ...span, isClipped, events: [...span.events, ...logs.flatMap(({ events }) => events)] };
}

function itemOf(spans: readonly Span[], { turns }: StepTree): ForeignItem {
  const prompt = turns.find(({ call }) => call?.prompt)?.call?.prompt ?? [];
  const root = rootOf(spans);
  const task = taskOf(prompt) || (root === null ? "" : (firstText(root.attributes, "input.value") ?? ""));
  const nameless =
    task === "" ? `span-${shortHash(hashJson(spans.map(attributesOf)))}` : `question-${shortHash(hashText(task))}`;
  const item = sessionOf(spans) ?? traceOf(spans) ?? nameless;
  return { kind: "item", item, family: null, task, detail: detailOf(spans, root) };
}

function attributesOf({ attributes }: Span): Json[] {
  return [...attributes].map(([key, value]) => [key, value]);
}

function rootOf(spans: readonly Span[]): Span | null {
  const ids = new Set(spans.map(({ id }) => id));
  return spans.find(({ parent }) => parent === null || !ids.has(parent)) ?? null;
}

function traceOf(spans: readonly Span[]): string | null {
  return spans[0]?.trace ?? null;
}

/** Of what was logged alone the event has all attributes. */
function mapsOf({ attributes, events, isLog }: Span): Attributes[] {
  return isLog ? events.map((event) => event.attributes) : [attributes];
}

/** The session that all spans name which name one, or that the root names: agents within may have their own. */
function sessionOf(spans: readonly Span[]): string | null {
  const root = rootOf(spans);
  const maps = spans.flatMap(mapsOf);
  const named = new Set(maps.flatMap((attributes) => firstText(attributes, ...SESSION_KEYS) ?? []));
  return named.size === 1 ? ([...named][0] as string) : root && firstText(root.attributes, ...SESSION_KEYS);
}

function detailOf(spans: readonly Span[], root: Span | null): Record<string, Json> {
  const attributes = root?.attributes ?? new Map<string, Json>();
  const { value: metadata } = structured(attributes.get("metadata"));
  const flat = [...attributes].filter(([key]) => key.startsWith(METADATA_PREFIX));
  const detail: Record<string, Json | undefined> = {
    trace: traceOf(spans) ?? undefined,
    name: root?.name || undefined,
    service: root?.service ?? undefined,
    scope: root?.scope ?? undefined,
    function: firstText(attributes, "ai.telemetry.functionId") ?? undefined,
    error: root?.error?.message || undefined,
    tags: structured(attributes.get("tag.tags")).value,
    metadata: isObject(metadata)
      ? metadata
      : flat.length === 0
        ? undefined
        : Object.fromEntries(flat.map(withoutPrefix)),
  };
  const short = Object.entries(detail).filter(
    ([, value]) => value !== undefined && JSON.stringify(value).length < MOST_DETAIL_CHARACTERS,
  );
  return Object.fromEntries(short) as Record<string, Json>;
}

function withoutPrefix([key, value]: [string, Json]): [string, Json] {
  return [key.slice(METADATA_PREFIX.length), value];
}

function placedScores(span: Span, isJudged: boolean): PlacedScore[] {
  return scoresOf(span).map(({ scope, atMs, score }) => ({
    ...{ where: `${span.where} (${score.name})`, atMs, scope: SCORE_SCOPES.indexOf(scope) },
    read: isJudged && scope === "session" ? { reason: JUDGED_ALONE } : scoreVerdict(score),
  }));
}
