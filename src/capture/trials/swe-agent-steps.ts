/**
 * The steps of one attempt of SWE-agent as turns and actions. A step has the answer's text; its calls and thoughts are in
 * the `history`, which lacks those answers that were asked for again. The prompt is the step's own `query`; in version
 * 1.0 it is what the step before left in `messages`, as these hold the step's own answer, too; before that it is the
 * history up to the step, of which the model may have seen old observations abridged.
 */
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { Foreign, ForeignAction, ForeignPlace } from "../foreign.ts";
import { misfits, parseJson } from "../reading/json.ts";
import { isObject, type JsonObject, known, numberIn, objectIn, objectsIn, textIn } from "../reading/shapes.ts";
import { chatMessage, openParameters } from "./chat-message.ts";

/** Without its configuration a run may have shown only the latest five observations whole, as was once the default. */
const OBSERVATIONS_ONCE_KEPT = 5;
/** History processors that leave every text as it is. */
const KEEPING_PROCESSORS = ["default", "cache_control", "tag_tool_call_observations", "image_parsing"];

export interface StepsPlace {
  item: string;
  attempt: number;
  where: string;
  /** How the agent was run; null where the file does not say. */
  agent: JsonObject | null;
}

interface Step {
  step: JsonObject;
  /** The index of its answer in the history; null where the history does not hold it. */
  entry: number | null;
  /** The history that was there before it. */
  before: number;
}

/** Says what happened in an attempt, step by step. */
export function* stepRecords(attempt: JsonObject, { item, attempt: n, where, agent }: StepsPlace): Generator<Foreign> {
  const place = { item, attempt: n };
  yield* misfits(attempt.history, `${where}#/history`);
  yield* misfits(attempt.trajectory, `${where}#/trajectory`);
  const history = objectsIn(attempt.history);
  const isCalling = history.some(({ tool_calls }) => Array.isArray(tool_calls));
  const { name, temperature, top_p, max_output_tokens, completion_kwargs } = objectIn(agent?.model);
  const request = known({ model: name, temperature, top_p, max_output_tokens, ...openParameters(completion_kwargs) });
  const mostObservations = observationsKept(agent);
  let last: Step | null = null;
  for (const read of stepsOf(attempt, history)) {
    const { step, entry } = read;
    const content = textIn(step.response) ?? "";
    if (isStop(step, content)) {
      yield { kind: "failure", boundary: "agent", code: "STOPPED", message: content, place };
      continue;
    }
    const said = entry === null ? {} : (history[entry] as JsonObject);
    const { messages, isWhole } = promptOf(read, { last, history, mostObservations });
    const response = chatMessage({ ...said, ...known(step), content }, "assistant");
    const missing = new Set<TurnPart>(isWhole ? [] : ["prompt"]);
    if (!isAsked(step) && !messages.some(({ role }) => role === "system")) missing.add("system-prompt");
    if (isCalling) missing.add("tools");
    if (isCalling && entry === null) missing.add("answer");
    if (temperature === undefined) missing.add("sampling");
    const turn = { role: roleOf(said), messages, tools: null, response, request, model: textIn(name) };
    yield { kind: "turn", ...place, ...turn, missing: [...missing] };
    if (entry !== null || isDone(step)) yield* actionOf(step, response, place);
    last = read;
  }
}

/** Each step with its place in the history. A file of history alone has a step for each of its answers. */
function* stepsOf(attempt: JsonObject, history: JsonObject[]): Generator<Step> {
  const answers = [...history.keys()].filter((i) => isAnswer(history[i] as JsonObject));
  if (!Array.isArray(attempt.trajectory)) {
    for (const i of answers) {
      const { content, action } = history[i] as JsonObject;
      const answered = objectsIn([history[i + 1]]).filter(({ role }) => role !== "assistant");
      const observation = textOf(answered[0]?.content);
      yield { step: known({ response: textOf(content), action, observation }), entry: i, before: i };
    }
    return;
  }
  let next = 0;
  for (const step of objectsIn(attempt.trajectory)) {
    const entry = answers[next];
    const isSaid = entry !== undefined && saysTheSame(history[entry] as JsonObject, step);
    if (isSaid) next++;
    yield { step, entry: isSaid ? entry : null, before: entry ?? history.length };
  }
}

function isAnswer({ role, is_demo }: JsonObject): boolean {
  return role === "assistant" && is_demo !== true;
}

function saysTheSame({ content, action }: JsonObject, step: JsonObject): boolean {
  return textOf(content) === (textIn(step.response) ?? "") && (textIn(action) ?? "") === (textIn(step.action) ?? "");
}

/** Whether the step keeps what the model was asked, to the letter. */
function isAsked({ query, messages }: JsonObject): boolean {
  return Array.isArray(query) || Array.isArray(messages);
}

/** Whether something came of an answer that was asked for again: most of these were not carried out. */
function isDone({ observation, execution_time }: JsonObject): boolean {
  return (textIn(observation) ?? "") !== "" || (numberIn(execution_time) ?? 0) > 0;
}

/** The agent itself wrote this step, when a limit or an error ended the run. */
function isStop({ action }: JsonObject, response: string): boolean {
  return /^Exit(ing|ed)? due to /.test(response) && /^(exit_\w+)?$/.test(textIn(action) ?? "");
}

interface Around {
  last: Step | null;
  history: JsonObject[];
  mostObservations: number;
}

function promptOf(
  { step, entry, before }: Step,
  { last, history, mostObservations }: Around,
): { messages: RecordedMessage[]; isWhole: boolean } {
  const query = chatMessages(step.query);
  if (query.length > 0) return { messages: query, isWhole: true };
  // An answer that was asked for again was shown with what was wrong with it, which neither list holds.
  const isFirstTry = last === null || last.entry !== null;
  const left = chatMessages(last?.step.messages);
  if (left.length > 0) return { messages: left, isWhole: isFirstTry };
  const own = objectsIn(step.messages);
  const answer = entry === null ? own.length : own.findLastIndex(isAnswer);
  if (own.length > 0) return { messages: chatMessages(own.slice(0, Math.max(0, answer))), isWhole: isFirstTry };
  const { agent } = objectIn(history[before]);
  const seen = history.slice(0, before).filter((one) => agent === undefined || one.agent === agent);
  const observations = seen.filter((one) => one.role !== "system" && !isAnswer(one) && one.is_demo !== true);
  // The first of them is the task.
  return { messages: chatMessages(seen), isWhole: isFirstTry && observations.length - 1 <= mostObservations };
}

function chatMessages(entries: unknown): RecordedMessage[] {
  return objectsIn(entries).flatMap((entry) => chatMessage(entry) ?? []);
}

/** How many of the latest observations were shown whole. */
function observationsKept(agent: JsonObject | null): number {
  if (agent === null) return OBSERVATIONS_ONCE_KEPT;
  const processors = agent.history_processors ?? agent.history_processor;
  const abridging = (Array.isArray(processors) ? objectsIn(processors) : [objectIn(processors)]).filter(
    ({ type }) => type !== undefined && !KEEPING_PROCESSORS.includes(String(type)),
  );
  const kept = abridging.map(({ type, n }) => (type === "last_n_observations" ? (numberIn(n) ?? 0) : 0));
  return Math.min(Number.POSITIVE_INFINITY, ...kept);
}

/** `main` and `primary` are what its one agent was called over time. */
function roleOf({ agent }: JsonObject): string {
  const name = textIn(agent);
  return name === null || ["main", "primary"].includes(name) ? "worker" : name;
}

/** What the step did: the call that the answer holds, or the command that was read from its text. */
function* actionOf(step: JsonObject, response: RecordedMessage | null, place: ForeignPlace): Generator<ForeignAction> {
  const command = textIn(step.action) ?? "";
  if (command.trim() === "") return;
  const [called] = objectsIn(response?.tool_calls);
  const { name, arguments: given } = objectIn(called?.function);
  const read = parseJson(textIn(given) ?? "");
  const isCall = typeof name === "string" && "value" in read && isObject(read.value);
  const call = isCall ? { name, arguments: read.value as JsonObject } : { name: "command", arguments: { command } };
  const durationMs = 1000 * Math.max(0, numberIn(step.execution_time) ?? 0);
  const stdout = textIn(step.observation) ?? "";
  yield { kind: "action", ...place, call, exitCode: null, stdout, stderr: "", durationMs };
}
