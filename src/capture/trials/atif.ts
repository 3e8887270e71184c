/**
 * A trajectory in ATIF (Harbor's agent trajectory interchange format, v1.0 to v1.8; later minor versions as far as they
 * go) as turns and actions. A step of the agent is a turn, with all steps before it as its prompt; a step that was copied
 * from an earlier trajectory, or that no model was asked for, is part of prompts only. An observation that answers a call
 * is a tool's message, any other one comes as the user's, as agents without tool calling send it.
 */
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignAction, ForeignPlace, ForeignTurn } from "../foreign.ts";
import { misfits, parseJson, rejected } from "../reading/json.ts";
import {
  countsIn,
  isObject,
  type JsonObject,
  known,
  numberIn,
  objectIn,
  objectsIn,
  textIn,
  timeIn,
} from "../reading/shapes.ts";
import { toolsIn, usageIn } from "../wire/body.ts";
import { chatCall, chatContent } from "./chat-message.ts";

export const ATIF_VERSION = /^ATIF-v1\.\d+$/;

export interface AtifPlace {
  item: string;
  attempt: number;
  /** The document: a file, or a place in one that ends in a pointer. */
  where: string;
  role: string;
  /** Parameters that are known from elsewhere. */
  sampling: JsonObject;
}

/** What an observation says that another agent did: embedded in the document, or in a file of its own. */
export interface SubagentRef {
  id: string | null;
  path: string | null;
}

/** Whether a document says that it is ATIF and has steps. */
export function isAtif({ schema_version, steps }: JsonObject): boolean {
  return ATIF_VERSION.test(textIn(schema_version) ?? "") && Array.isArray(steps);
}

/** Says what a document holds, and its embedded subagents after the step that called them. */
export function* atifRecords(document: JsonObject, place: AtifPlace): Generator<Foreign> {
  const { where } = place;
  const at = where.includes("#") ? where : `${where}#`;
  const setting = settingOf(document, place);
  const messages: RecordedMessage[] = [];
  const embedded = objectsIn(document.subagent_trajectories);
  const told = new Set<JsonObject>();
  yield* misfits(document.steps, `${at}/steps`);
  yield* misfits(document.subagent_trajectories, `${at}/subagent_trajectories`);
  for (const [i, step] of (Array.isArray(document.steps) ? document.steps : []).entries()) {
    if (!isObject(step)) continue;
    const spoken = spokenMessage(step);
    if (spoken === null) {
      yield rejected(`${at}/steps/${i}`, "its `source` is not system, user or agent");
      continue;
    }
    const prompt = [...messages];
    messages.push(spoken, ...observationMessages(step));
    const called = refsIn(step)
      .map(({ id }) => embedded.find((one) => id !== null && one.trajectory_id === id))
      .filter((one) => one !== undefined);
    if (step.is_copied_context === true) {
      for (const one of called) told.add(one); // where the step was copied from, it was told too
      continue;
    }
    if (step.source === "agent" && step.llm_call_count !== 0) {
      yield turnOf(step, spoken, { ...setting, prompt });
      yield* actionsOf(step, spoken, place);
    }
    for (const one of called) if (!told.has(one)) yield* tell(one);
  }
  for (const one of embedded) if (!told.has(one)) yield* tell(one);

  function* tell(subagent: JsonObject): Generator<Foreign> {
    told.add(subagent);
    const index = (document.subagent_trajectories as unknown[]).indexOf(subagent);
    yield* atifRecords(subagent, {
      ...place,
      where: `${at}/subagent_trajectories/${index}`,
      role: agentName(subagent),
    });
  }
}

/** By which a subagent's role goes. */
export function agentName({ agent }: JsonObject): string {
  return textIn(objectIn(agent).name) || "subagent";
}

/** What the document's steps say that other agents did. */
export function subagentRefs(document: JsonObject): SubagentRef[] {
  return objectsIn(document.steps)
    .filter((step) => step.is_copied_context !== true)
    .flatMap(refsIn);
}

/** The messages of a document's steps, as far as they have any. */
export function atifMessages(document: JsonObject): RecordedMessage[] {
  return objectsIn(document.steps).flatMap((step) => spokenMessage(step) ?? []);
}

function refsIn(step: JsonObject): SubagentRef[] {
  return resultsOf(step)
    .flatMap(({ subagent_trajectory_ref: refs }) => (isObject(refs) ? [refs] : objectsIn(refs)))
    .map(({ trajectory_id, trajectory_path }) => ({ id: textIn(trajectory_id), path: textIn(trajectory_path) }));
}

function resultsOf({ observation }: JsonObject): JsonObject[] {
  return objectsIn(objectIn(observation).results);
}

function spokenMessage({ source, message, tool_calls, reasoning_content }: JsonObject): RecordedMessage | null {
  const content = chatContent(message);
  if (source === "user" || source === "system") return { role: source, content };
  if (source !== "agent") return null;
  const calls = objectsIn(tool_calls).map(({ tool_call_id, function_name, arguments: given }) =>
    chatCall(textIn(tool_call_id), textIn(function_name) ?? "", given),
  );
  const thoughts = textIn(reasoning_content);
  return {
    ...{ role: "assistant", content },
    ...(thoughts !== null && { reasoning_content: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function observationMessages(step: JsonObject): RecordedMessage[] {
  const role = step.source === "system" ? "system" : "user";
  return resultsOf(step).map(({ source_call_id, content }) => {
    const call = textIn(source_call_id);
    const text = chatContent(content);
    return call === null ? { role, content: text } : { role: "tool", tool_call_id: call, content: text };
  });
}

interface AtifSetting extends AtifPlace {
  tools: RecordedTool[] | null;
  model: string | null;
  request: JsonObject;
  missing: TurnPart[];
}

function settingOf(document: JsonObject, place: AtifPlace): AtifSetting {
  const { tool_definitions, model_name, extra } = objectIn(document.agent);
  const { temperature, top_p } = { ...place.sampling, ...objectIn(extra) };
  const tools = toolsIn(tool_definitions);
  const steps = objectsIn(document.steps);
  const missing: TurnPart[] = [];
  if (steps[0]?.source !== "system") missing.push("system-prompt");
  if (tools === null && steps.some(({ tool_calls }) => objectsIn(tool_calls).length > 0)) missing.push("tools");
  if (temperature === undefined) missing.push("sampling");
  return { ...place, tools, model: textIn(model_name), request: known({ temperature, top_p }), missing };
}

function turnOf(
  step: JsonObject,
  response: RecordedMessage,
  { item, attempt, role, tools, request, ...setting }: AtifSetting & { prompt: RecordedMessage[] },
): ForeignTurn {
  const { metrics, reasoning_effort, llm_call_count, timestamp } = step;
  const model = textIn(step.model_name) ?? setting.model;
  const { prompt_token_ids, completion_token_ids } = objectIn(metrics);
  const [prompt, completion] = [countsIn(prompt_token_ids), countsIn(completion_token_ids)];
  // Several calls in one step: neither is its answer one of theirs, nor was its prompt that of the last one.
  const isOne = (numberIn(llm_call_count) ?? 1) === 1;
  return {
    ...{ kind: "turn", item, attempt, at: timeIn(timestamp), role, messages: setting.prompt, tools, response, model },
    request: known({ model, ...request, reasoning_effort }),
    usage: isOne ? usageIn(metrics) : null,
    missing: isOne ? setting.missing : [...setting.missing, "prompt", "answer"],
    ...((prompt ?? completion) !== null && { tokenIds: { prompt, completion } }),
  };
}

/** A call and what came of it; a step with one call and one observation needs no ids for that. */
function* actionsOf(step: JsonObject, { tool_calls }: RecordedMessage, place: AtifPlace): Generator<ForeignAction> {
  const results = resultsOf(step);
  const calls = objectsIn(tool_calls);
  const at: ForeignPlace = { item: place.item, attempt: place.attempt, at: timeIn(step.timestamp) };
  const [only] = results;
  for (const { id, function: called } of calls) {
    const { name, arguments: given } = objectIn(called);
    const read = parseJson(textIn(given) ?? "");
    const isOnly = calls.length === 1 && results.length === 1 && textIn(only?.source_call_id) === null;
    const result = isOnly ? only : results.find(({ source_call_id }) => id !== undefined && source_call_id === id);
    if (result === undefined || !("value" in read) || !isObject(read.value)) continue;
    const call = { name: textIn(name) ?? "", arguments: read.value };
    yield { kind: "action", ...at, call, exitCode: null, stdout: textOf(chatContent(result.content)), stderr: "" };
  }
}
