/**
 * The turns and actions of a trace, in the order in which they happened: an action stands after the turn that asked for
 * it. Where no step tells what a tool gave back, the prompt of a later turn may. Says of each turn what is not there.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { ForeignAction, ForeignFailure, ForeignPlace, ForeignTurn, Rejected } from "../foreign.ts";
import { parseJson, rejected } from "../reading/json.ts";
import { isObject, objectIn, objectsIn, textIn } from "../reading/shapes.ts";
import type { CallContent, Step, StepTree } from "./trace-steps.ts";

export type TraceRecord = ForeignTurn | ForeignAction | ForeignFailure | Rejected;

/** What an answer asked of a tool, with the tool's own step and what a later prompt says of it. */
interface AskedTool {
  id: string | null;
  name: string;
  given: Record<string, Json> | null;
  step: Step | null;
  later: string | null;
}

const SAMPLING_KEYS = ["temperature", "top_p", "top_k"];

/** Says what a trace holds. */
export function* traceRecords({ turns, tools, roleOf }: StepTree, place: ForeignPlace): Generator<TraceRecord> {
  const asked = askedTools(turns, tools);
  const bound = new Set([...asked.values()].flat().map(({ step }) => step));
  const others = tools.filter((tool) => !bound.has(tool));
  for (const turn of turns) {
    while (others[0] !== undefined && startOf(others[0]) < startOf(turn)) yield useOf(others.shift() as Step, place);
    yield* turnsOf(turn, { ...place, role: roleOf(turn) });
    for (const call of asked.get(turn) ?? []) {
      if (call.step !== null) yield useOf(call.step, place, call);
      else if (call.later !== null && call.given !== null) yield toldUse(call, placeOf(turn, place));
    }
  }
  for (const tool of others) yield useOf(tool, place);
}

function askedTools(turns: readonly Step[], tools: readonly Step[]): ReadonlyMap<Step, AskedTool[]> {
  const find = toolFinder(tools);
  const later = laterResults(turns);
  return new Map(
    turns.map((turn, i) => {
      const calls = (turn.call?.answers ?? []).flatMap(({ tool_calls }) => objectsIn(tool_calls));
      const asked = calls.map((call) => {
        const { name, arguments: given } = objectIn(call.function);
        const called = { id: textIn(call.id), name: textIn(name) ?? "", given: argumentsIn(given) };
        return { ...called, step: find(called, startOf(turn)), later: later(called.id, i) };
      });
      return [turn, asked];
    }),
  );
}

/** Finds a call's tool by its id, or as the first of its name from that time on whose id nobody knows; each one once. */
function toolFinder(tools: readonly Step[]): (call: Pick<AskedTool, "id" | "name">, fromMs: number) => Step | null {
  const queues = new Map<string, Step[]>();
  const keyOf = (kind: "id" | "name", name: string) => `${kind} ${name}`;
  for (const step of tools) {
    const { callId = null, name = "" } = step.tool ?? {};
    const key = callId === null ? keyOf("name", name) : keyOf("id", callId);
    const queue = queues.get(key);
    if (queue === undefined) queues.set(key, [step]);
    else queue.push(step);
  }
  return ({ id, name }, fromMs) => {
    const byId = id === null ? undefined : queues.get(keyOf("id", id))?.shift();
    if (byId !== undefined) return byId;
    const queue = queues.get(keyOf("name", name)) ?? [];
    while (queue[0] !== undefined && startOf(queue[0]) < fromMs) queue.shift();
    return queue.shift() ?? null;
  };
}

/** What the prompts of later turns say that a call gave back. */
function laterResults(turns: readonly Step[]): (id: string | null, turn: number) => string | null {
  const results = new Map<string, { turn: number; result: string }[]>();
  for (const [turn, { call }] of turns.entries()) {
    for (const { role, tool_call_id: id, content } of call?.prompt ?? []) {
      if (role !== "tool" || typeof id !== "string") continue;
      const known = results.get(id) ?? [];
      const result = textOf(content);
      if (known.at(-1)?.result !== result) known.push({ turn, result });
      results.set(id, known);
    }
  }
  return (id, turn) => results.get(id ?? "")?.find((one) => one.turn > turn)?.result ?? null;
}

/** A tool's own step, with what the call says that it does not. */
function useOf(step: Step, place: ForeignPlace, call?: AskedTool): ForeignAction | Rejected {
  const { tool, error } = step;
  const result = tool?.result ?? call?.later ?? null;
  if (tool === null || ((tool.given ?? result) === null && error === null)) {
    return rejected(step.where, "a tool's use has neither its arguments nor its result: they were not recorded");
  }
  const given = tool.given ?? call?.given ?? {};
  return {
    ...{ kind: "action", ...placeOf(step, place), call: { name: tool.name, arguments: given } },
    ...{ exitCode: null, ...(error !== null && { isError: true }) },
    ...{ stdout: result ?? "", stderr: error?.message ?? "", durationMs: durationOf(step) ?? 0 },
  };
}

function toldUse({ name, given, later }: AskedTool, place: ForeignPlace): ForeignAction {
  const call = { name, arguments: given ?? {} };
  return { kind: "action", ...place, call, exitCode: null, stdout: later ?? "", stderr: "" };
}

/** A turn for each choice that a call was answered with, and what went wrong where it was not answered. */
function* turnsOf(step: Step, { role, ...trace }: ForeignPlace & { role: string }): Generator<TraceRecord> {
  const { call, error } = step;
  if (call === null) return;
  const { prompt, answers, tools, request, model, usage, finishReason } = call;
  const place = placeOf(step, trace);
  for (const [i, response] of (answers ?? [null]).entries()) {
    yield {
      ...{ kind: "turn", ...place, role, messages: prompt ?? [], tools, response, request, model },
      ...{ finishReason: chatReason(finishReason), usage: i === 0 ? usage : null, latencyMs: durationOf(step) },
      ...(i > 0 && { flags: [`choice-${i + 1}`] }),
      missing: [...missingOf(step, call)],
    };
  }
  if (error !== null && answers === null) yield { kind: "failure", boundary: "model", ...error, place };
}

/** What is cut at the limit is known by OpenAI's word for it. */
function chatReason(reason: string | null): string | null {
  return reason !== null && /^max_?(output_)?tokens$/i.test(reason) ? "length" : reason;
}

function missingOf({ kind, error }: Step, call: CallContent): Set<TurnPart> {
  const { prompt, answers, tools, tellsTools, request, tellsRequest } = call;
  const missing = new Set(call.clipped);
  const messages = [...(prompt ?? []), ...(answers ?? [])];
  // What an agent was asked is not all that the model saw.
  if (prompt === null || kind === "agent") missing.add("prompt");
  if ((prompt === null || kind === "agent") && !messages.some(({ role }) => role === "system")) {
    missing.add("system-prompt");
  }
  if (tools === null && (prompt === null || kind === "agent" || !tellsTools || messages.some(usesTools))) {
    missing.add("tools");
  }
  if (answers === null && error === null) missing.add("answer");
  if (!tellsRequest && !SAMPLING_KEYS.some((key) => key in request)) missing.add("sampling");
  return missing;
}

function usesTools({ role, tool_calls }: RecordedMessage): boolean {
  return role === "tool" || (Array.isArray(tool_calls) && tool_calls.length > 0);
}

/** Arguments as an object, whether they are one or its JSON; null where they are neither. */
export function argumentsIn(value: unknown): Record<string, Json> | null {
  const read = typeof value === "string" ? parseJson(value) : { value };
  return "value" in read && isObject(read.value) ? read.value : null;
}

function placeOf({ startMs, endMs }: Step, place: ForeignPlace): ForeignPlace {
  const ms = endMs ?? startMs;
  return ms === null ? place : { ...place, at: new Date(ms) };
}

function durationOf({ startMs, endMs }: Step): number | null {
  // More digits than these are no part of what was measured.
  return startMs === null || endMs === null ? null : Math.max(0, Math.round((endMs - startMs) * 1000) / 1000);
}

function startOf({ startMs }: Step): number {
  return startMs ?? Number.POSITIVE_INFINITY;
}
