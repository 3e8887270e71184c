/**
 * Langfuse: the download of a trace or session, answers of its API, and the rows of its exports (JSON, JSON lines). A
 * file is a run, a trace or session an item; generations are turns, tools actions, scores verdicts. Passed over:
 * observations of other kinds (spans, chains, events, retrievers, embeddings, guardrails) and traces that have nothing
 * but such.
 */
import { basename } from "node:path";
import type { Foreign, ForeignRun } from "../foreign.ts";
import type { Importer, ImportInput } from "../importer.ts";
import { rejected } from "../reading/json.ts";
import { textIn } from "../reading/shapes.ts";
import { JUDGED_ALONE, type JudgedSessions, judgedSessions } from "../traces/judged-sessions.ts";
import { field, holdsMembers, type Member, membersIn, msOf } from "../traces/langfuse-members.ts";
import { observationStep } from "../traces/langfuse-steps.ts";
import { isVerdict, langfuseTrace } from "../traces/langfuse-trace.ts";
import { type MemberReader, memberGroups, type Survey, surveyGroups } from "../traces/member-groups.ts";
import { runParts } from "../traces/run-parts.ts";

const MOST_NAMES = 20;
/** How a document begins that is too long to be read for its format. */
const BEGINS = /^\s*\[?\s*\{\s*"(trace"\s*:\s*\{\s*"id"|(?:data|traces)"\s*:\s*\[|id"\s*:)/;
const OWN_KEYS = /"(parentObservationId|parent_observation_id|bookmarked|htmlPath|observationId|internalModelId)"\s*:/;

const importer: Importer = {
  summary: "Langfuse traces with observations and scores (downloads of a trace, answers of the API, exports as JSON)",
  lossy: [
    "tools, unless the request's body was kept",
    "token ids",
    "corrections, comments and text scores",
    "exit codes",
  ],
  detects({ head, value }) {
    if (value !== undefined) return holdsMembers(Array.isArray(value) ? value[0] : value);
    const start = head.toString("utf8");
    return BEGINS.test(start) && OWN_KEYS.test(start);
  },
  *read(input) {
    for (const file of input.files) yield* readFile(file, input);
  },
};

export default importer;

const reader: MemberReader<Member> = {
  read: membersIn,
  groupOf: ({ group }) => group,
  sessionsOf,
  whereOf: ({ where }) => where,
  charactersOf: ({ fields }) => JSON.stringify(fields).length,
};

function* readFile(file: string, input: ImportInput): Generator<Foreign> {
  const { run, survey, judged } = readRun(file);
  yield run ?? rejected(file, "it holds no generation, no tool and no score");
  const partAt = runParts(run);
  for (const group of memberGroups(file, input, { reader, survey })) {
    if ("kind" in group) {
      yield group;
      continue;
    }
    const part = partAt(group);
    if (part !== null) yield part;
    if (group.members.some((member) => member.group !== null)) yield* groupRecords(group.members, judged);
    else for (const { where } of group.members) yield rejected(where, "it is of no trace and of no session");
  }
}

function* groupRecords(members: readonly Member[], judged: JudgedSessions): Generator<Foreign> {
  const trace = members.map(traceOf).find((id) => id !== null);
  const session = members.flatMap(sessionsOf)[0] ?? "";
  if (trace !== undefined || !judged.has(session)) {
    yield* langfuseTrace(members, (item) => (trace === undefined ? 1 : judged.attemptOf(item, trace)));
  } else for (const { where } of members) yield rejected(where, JUDGED_ALONE);
}

function traceOf({ type, fields }: Member): string | null {
  return textIn(type === "trace" ? fields.id : field(fields, "traceId"));
}

function sessionsOf({ fields }: Member): string[] {
  return [field(fields, "sessionId")].flatMap((id) => textIn(id) || []);
}

function isTelling({ type, fields, where }: Member): boolean {
  if (type === "score") return true;
  if (type === "trace") return (field(fields, "input") ?? field(fields, "output") ?? null) !== null;
  return ["call", "tool"].includes(observationStep({ fields, where }).kind);
}

/** What the members that tell something say of the run; null where there are none. */
function readRun(file: string): { run: ForeignRun | null; survey: Survey; judged: JudgedSessions } {
  const projects = new Set<string>();
  const models = new Set<string>();
  const judged = judgedSessions();
  let startMs = Number.POSITIVE_INFINITY;
  const survey = surveyGroups(file, reader, (member) => {
    const { fields, group } = member;
    const trace = traceOf(member);
    if (trace !== null) judged.note(trace, { sessions: sessionsOf(member), isScored: isVerdict(member) });
    if (group === null || !isTelling(member)) return false;
    startMs = Math.min(startMs, msOf(fields, "startTime") ?? msOf(fields, "timestamp") ?? startMs);
    note(projects, textIn(field(fields, "projectId")));
    note(models, fields.type === "GENERATION" ? (textIn(fields.model) ?? null) : null);
    return true;
  });
  if (survey.telling === 0) return { run: null, survey, judged };
  const run: ForeignRun = {
    ...{ kind: "run", nativeId: basename(file), files: [file], skill: "langfuse" },
    startedAt: Number.isFinite(startMs) ? new Date(startMs) : null,
    model: models.size === 1 ? ([...models][0] ?? null) : null,
    facts: { projects: [...projects], models: [...models] },
  };
  return { run, survey, judged };
}

function note(names: Set<string>, name: string | null): void {
  if (name !== null && names.size < MOST_NAMES) names.add(name);
}
