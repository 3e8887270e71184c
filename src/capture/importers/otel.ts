/**
 * Traces of OpenTelemetry: OTLP/JSON exports and printed spans, with the GenAI conventions old and new, OpenInference,
 * OpenLLMetry and the Vercel AI SDK. A file is a run, a trace or session an item. Passed over: traces without a model's
 * call, a tool or a score; spans of other kinds (chains, retrievals, embeddings, databases); metrics; log records that
 * are no GenAI event.
 */
import { basename } from "node:path";
import type { Foreign, ForeignRun } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { attemptNumbers } from "../reading/attempt-numbers.ts";
import { rejected } from "../reading/json.ts";
import { type JudgedSessions, judgedSessions } from "../traces/judged-sessions.ts";
import { type MemberReader, memberGroups, type Survey, surveyGroups } from "../traces/member-groups.ts";
import { holdsSpans, type Span, spansIn } from "../traces/otel-spans.ts";
import { kindOf, modelOf } from "../traces/otel-steps.ts";
import { isTelling, otelTrace, sessionsIn } from "../traces/otel-trace.ts";
import { runParts } from "../traces/run-parts.ts";

const MOST_NAMES = 20;
/** How a document begins that is too long to be read for its format. */
const BEGINS = /^\s*\[?\s*\{\s*"resource(Spans|Logs)"\s*:/;
const BEGINS_AS_SPAN = /^\s*\[?\s*\{[^[]{0,2000}"(spanContext|context)"\s*:\s*\{\s*"(traceId|trace_id)"\s*:/;

const importer: Importer = {
  summary:
    "OpenTelemetry traces (OTLP/JSON, printed spans): GenAI conventions, OpenInference, OpenLLMetry, Vercel AI SDK",
  lossy: [
    "content that was not captured",
    "whether a plain text was cut at the exporter's limit",
    "token ids",
    "who evaluated (GenAI events)",
    "exit codes of tools",
  ],
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

const reader: MemberReader<Span> = {
  read: spansIn,
  groupOf: ({ trace }) => trace,
  sessionsOf: (span) => sessionsIn(span).sessions,
  whereOf: ({ where }) => where,
  charactersOf({ attributes, events }) {
    let characters = 0;
    for (const map of [attributes, ...events.map((event) => event.attributes)]) {
      for (const [key, value] of map) {
        characters += key.length + (typeof value === "string" ? value.length : JSON.stringify(value).length);
      }
    }
    return characters;
  },
};

function* readFile(file: string, input: ImportInput): Generator<Foreign> {
  const { run, survey, judged } = readRun(file);
  yield run ?? rejected(file, "it holds no span of a model's call, of a tool or of a score");
  const partAt = runParts(run);
  let attemptAt = attemptNumbers();
  for (const group of memberGroups(file, input, { reader, survey })) {
    if ("kind" in group) {
      yield group;
      continue;
    }
    const part = partAt(group);
    if (part !== null) {
      attemptAt = attemptNumbers();
      yield part;
    }
    if (group.members.some(isTelling)) yield* otelTrace(group.members, { attemptAt, judged });
  }
}

/** What the spans that tell something say of the run; null where there are none. */
function readRun(file: string): { run: ForeignRun | null; survey: Survey; judged: JudgedSessions } {
  const services = new Set<string>();
  const scopes = new Set<string>();
  const models = new Set<string>();
  const judged = judgedSessions();
  let startMs = Number.POSITIVE_INFINITY;
  const survey = surveyGroups(file, reader, (span) => {
    if (span.trace !== null) judged.note(span.trace, sessionsIn(span));
    if (!isTelling(span)) return false;
    startMs = Math.min(startMs, span.startMs ?? startMs);
    note(services, span.service);
    note(scopes, span.scope);
    note(models, kindOf(span) === "call" ? modelOf(span) : null);
    return true;
  });
  if (survey.telling === 0) return { run: null, survey, judged };
  const run: ForeignRun = {
    ...{ kind: "run", nativeId: basename(file), files: [file], skill: "otel" },
    startedAt: Number.isFinite(startMs) ? new Date(startMs) : null,
    model: models.size === 1 ? ([...models][0] ?? null) : null,
    facts: { services: [...services], scopes: [...scopes], models: [...models] },
  };
  return { run, survey, judged };
}

function note(names: Set<string>, name: string | null): void {
  if (name !== null && names.size < MOST_NAMES) names.add(name);
}
