/**
 * One trace of Langfuse, or the scores of one session: the item, its turns and actions, and its verdicts.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Foreign, ForeignItem, ForeignPlace } from "../foreign.ts";
import { taskOf } from "../foreign-item.ts";
import { type JsonObject, numberIn, objectIn, textIn } from "../reading/shapes.ts";
import { field, type Member, msOf, plainField } from "./langfuse-members.ts";
import { observationStep, traceStep } from "./langfuse-steps.ts";
import { type GivenScore, type PlacedScore, type ReadScore, scoreRecords, scoreVerdict } from "./scores.ts";
import { traceRecords } from "./trace-records.ts";
import { type StepTree, stepTree } from "./trace-steps.ts";

const JUDGES: ReadonlyMap<unknown, GivenScore["judge"]> = new Map([
  ["API", "code"],
  ["EVAL", "model"],
  ["ANNOTATION", "person"],
] as const);
const DETAIL_KEYS = ["name", "tags", "environment", "release", "version", "projectId"];
/** What OpenTelemetry leaves in the metadata, beside what the program put there. */
const SPAN_KEYS = new Set(["attributes", "resourceAttributes", "scope"]);
const MOST_DETAIL_CHARACTERS = 2000;

/** Says what the members of one trace or session hold; `attemptOf` numbers the trace in its session. */
export function* langfuseTrace(members: readonly Member[], attemptOf: (session: string) => number): Generator<Foreign> {
  const traces = members.filter(({ type }) => type === "trace");
  const steps = wholeObservations(members).map(observationStep);
  const told = stepTree(steps);
  const tree = told.turns.length > 0 ? told : stepTree([...traces.map(traceStep), ...steps]);
  const item = itemOf(members, tree);
  const place: ForeignPlace = { item: item.item, attempt: attemptOf(item.item) };
  yield item;
  yield* traceRecords(tree, place);
  yield* scoreRecords(members.filter(({ type }) => type === "score").map(placedScore), place);
}

/** Whether it is a score that a trace's attempt has as a verdict. */
export function isVerdict({ type, fields }: Member): boolean {
  return type === "score" && "verdict" in verdictOf(fields);
}

/** Each observation once, where a list has it without its texts and another one with them. */
function wholeObservations(members: readonly Member[]): Member[] {
  const byId = new Map<string, Member>();
  const nameless: Member[] = [];
  for (const member of members.filter(({ type }) => type === "observation")) {
    const id = textIn(member.fields.id);
    const known = id === null ? undefined : byId.get(id);
    const set = Object.entries(member.fields).filter(([, value]) => value !== null);
    if (id === null) nameless.push(member);
    else byId.set(id, { ...member, fields: { ...known?.fields, ...Object.fromEntries(set) } });
  }
  return [...byId.values(), ...nameless];
}

function itemOf(members: readonly Member[], { turns }: StepTree): ForeignItem {
  const trace = members.find(({ type }) => type === "trace")?.fields ?? {};
  const session = members.map(({ fields }) => textIn(field(fields, "sessionId"))).find((id) => id);
  const id = members.map(({ group }) => group).find((group) => group !== null);
  const prompt = turns.find(({ call }) => call?.prompt)?.call?.prompt ?? [];
  const input = plainField(trace, "input");
  const task = taskOf(prompt) || (typeof input === "string" ? input : "");
  return { kind: "item", item: session ?? id ?? "", family: null, task, detail: detailOf(trace) };
}

function detailOf(trace: JsonObject): Record<string, Json> {
  const metadata = Object.entries(objectIn(plainField(trace, "metadata"))).filter(([key]) => !SPAN_KEYS.has(key));
  const entries = [
    ["trace", trace.id] as const,
    ...DETAIL_KEYS.map((key) => [key, field(trace, key)] as const),
    ...(metadata.length > 0 ? [["metadata", Object.fromEntries(metadata)] as const] : []),
  ];
  const short = entries.filter(
    ([, value]) => value !== undefined && value !== null && JSON.stringify(value).length < MOST_DETAIL_CHARACTERS,
  );
  return Object.fromEntries(short) as Record<string, Json>;
}

function placedScore({ fields, where }: Member): PlacedScore {
  const isOfOne = textIn(field(fields, "observationId")) !== null;
  return {
    ...{ where: `${where} (${textIn(fields.name) ?? ""})`, atMs: msOf(fields, "timestamp") },
    ...{ scope: isOfOne ? 0 : 1, read: verdictOf(fields) },
  };
}

function verdictOf(fields: JsonObject): ReadScore {
  const type = textIn(field(fields, "dataType")) ?? "NUMERIC";
  if (type === "CORRECTION" || type === "TEXT") return { reason: `a ${type.toLowerCase()} is a text and no verdict` };
  const number = typeof fields.value === "boolean" ? Number(fields.value) : numberIn(fields.value);
  const about = ABOUT_KEYS.map((key) => [key, field(fields, key)] as const).filter(
    ([, value]) => (value ?? null) !== null,
  );
  return scoreVerdict({
    name: textIn(fields.name) ?? "",
    // The number of a category is its place in a list.
    value: type === "CATEGORICAL" ? null : type === "BOOLEAN" && number !== null ? number === 1 : number,
    label: textIn(field(fields, "stringValue")),
    explanation: textIn(fields.comment),
    judge: JUDGES.get(fields.source) ?? "unknown",
    about: Object.fromEntries(about) as Record<string, Json>,
  });
}

const ABOUT_KEYS = ["source", "observationId", "sessionId", "configId", "id"];
