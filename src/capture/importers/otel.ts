/**
 * Traces of OpenTelemetry: OTLP/JSON exports and printed spans, with the GenAI conventions old and new, OpenInference,
 * OpenLLMetry and the Vercel AI SDK. A file is a run, a trace or session an item. Spans of a trace may lie anywhere in
 * their file and the inner ones come first, so that a file is read twice: for where each trace ends, and for what it
 * holds. Passed over: traces without a model's call, a tool or a score; spans of other kinds (chains, retrievals,
 * embeddings, databases); metrics; log records that are no GenAI event.
 */
import { basename } from "node:path";
import type { Foreign, ForeignRun, Rejected } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { readDocument, readJsonLines, rejected } from "../reading/json.ts";
import { jsonRecords } from "../reading/json-records.ts";
import { holdsSpans, type Span, spansIn } from "../reading/otel-spans.ts";
import { kindOf, modelOf } from "../reading/otel-steps.ts";
import { isTelling, otelTrace } from "../reading/otel-trace.ts";

const MOST_HELD_CHARACTERS = 200_000_000;
const TOO_MUCH = `spans of traces that are not at their end yet have more than ${MOST_HELD_CHARACTERS} characters`;
const MOST_NAMES = 20;
/** How a document begins that is too long to be read for its format. */
const BEGINS = /^\s*\[?\s*\{\s*"resource(Spans|Logs)"\s*:/;
const BEGINS_AS_SPAN = /^\s*\[?\s*\{[^[]{0,2000}"(spanContext|context)"\s*:\s*\{\s*"(traceId|trace_id)"\s*:/;

const importer: Importer = {
  summary:
    "OpenTelemetry traces (OTLP/JSON or printed spans): GenAI conventions, OpenInference, OpenLLMetry, Vercel AI SDK",
  lossy: ["content that was not captured", "token ids", "who evaluated (GenAI events)", "exit codes of tools"],
  detects({ head, value }) {
    if (value !== undefined) return holdsSpans(Array.isArray(value) ? value[0] : value);
    const start = head.toString("utf8");
    return BEGINS.test(start) || BEGINS_AS_SPAN.test(start);
  },
  *read(input) {
    for (const file of input.files) yield* readFile(file, input);
  },
};

export default importer;

function* readFile(file: string, input: ImportInput): Generator<Foreign> {
  const { run, endings } = survey(file);
  if (run === null) yield rejected(file, "it holds no span of a model's call, of a tool or of a score");
  else yield run;
  const attemptAt = attemptNumbers();
  const open = new Map([...endings.values()].flat().map((trace) => [trace, [] as Span[]]));
  let held = 0;
  for (const { number, spans } of recordsOf(file, input)) {
    for (const span of spans) {
      if ("kind" in span) yield span;
      else if (span.trace === null && isTelling(span)) yield* otelTrace([span], attemptAt);
      else if (held + charactersOf(span) > MOST_HELD_CHARACTERS) yield rejected(span.where, TOO_MUCH);
      else if (open.get(span.trace ?? "")?.push(span)) held += charactersOf(span);
    }
    for (const trace of endings.get(number) ?? []) {
      const whole = open.get(trace) ?? [];
      open.delete(trace);
      held -= whole.reduce((sum, span) => sum + charactersOf(span), 0);
      if (whole.length > 0) yield* otelTrace(whole, attemptAt);
    }
  }
}

/** Reads a file once to know what run it is, and which traces that tell something end with which record. */
function survey(file: string): { run: ForeignRun | null; endings: Map<number, string[]> } {
  const last = new Map<string, number>();
  const telling = new Set<string | null>();
  const names = { services: new Set<string>(), scopes: new Set<string>(), models: new Set<string>() };
  let startMs = Number.POSITIVE_INFINITY;
  for (const { number, spans } of recordsOf(file, { lines: readJsonLines, document: readDocument })) {
    for (const span of spans) {
      if ("kind" in span) continue;
      if (span.trace !== null) last.set(span.trace, number);
      if (!isTelling(span)) continue;
      telling.add(span.trace);
      startMs = Math.min(startMs, span.startMs ?? startMs);
      note(names.services, span.service);
      note(names.scopes, span.scope);
      note(names.models, kindOf(span) === "call" ? modelOf(span) : null);
    }
  }
  const endings = new Map<number, string[]>();
  for (const [trace, number] of last) {
    const ending = endings.get(number) ?? [];
    if (telling.has(trace)) ending.push(trace);
    endings.set(number, ending);
  }
  return { run: telling.size === 0 ? null : runOf(file, startMs, names), endings };
}

function runOf(
  file: string,
  startMs: number,
  names: Record<"services" | "scopes" | "models", Set<string>>,
): ForeignRun {
  const [services, scopes, models] = [[...names.services], [...names.scopes], [...names.models]];
  return {
    ...{ kind: "run", nativeId: basename(file), files: [file], skill: "otel" },
    startedAt: Number.isFinite(startMs) ? new Date(startMs) : null,
    model: models.length === 1 ? (models[0] ?? null) : null,
    facts: { services, scopes, models },
  };
}

function note(names: Set<string>, name: string | null): void {
  if (name !== null && names.size < MOST_NAMES) names.add(name);
}

/** The spans of each record of a file, with the record's number. */
function* recordsOf(
  file: string,
  source: Pick<ImportInput, "lines" | "document">,
): Generator<{ number: number; spans: Iterable<Span | Rejected> }> {
  let number = 0;
  for (const record of jsonRecords(file, source)) {
    number++;
    yield { number, spans: "kind" in record ? [record] : spansIn(record.value, record.where) };
  }
}

function charactersOf({ attributes, events }: Span): number {
  let characters = 0;
  for (const map of [attributes, ...events.map((event) => event.attributes)]) {
    for (const [key, value] of map) {
      characters += key.length + (typeof value === "string" ? value.length : JSON.stringify(value).length);
    }
  }
  return characters;
}

/** Numbers the tries at each item. */
function attemptNumbers(): (item: string) => number {
  const attempts = new Map<string, number>();
  return (item) => {
    const attempt = (attempts.get(item) ?? 0) + 1;
    attempts.set(item, attempt);
    return attempt;
  };
}
