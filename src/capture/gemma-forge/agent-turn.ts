/**
 * One turn of an agent of gemma-forge as its log tells it: what came between its prompt and the harness's next step. The log
 * merges the model calls of a turn, cuts every text and keeps no prompt, so that of a turn only a part is known.
 */
import type { TurnPart } from "../../records/events.ts";
import type { RecordedMessage } from "../../records/message.ts";
import type { ForeignAction, ForeignFailure, ForeignPlace, ForeignTurn } from "../foreign.ts";
import { countIn, isObject, type JsonObject, numberIn, objectsIn, textIn } from "../reading/shapes.ts";
import { isCut, LIMITS, type RunEventLine } from "./run-event.ts";
import { tipIdOf } from "./tip-of.ts";

export interface AgentTurn {
  /** Of its first event. */
  where: string;
  agent: string;
  phase: string;
  /** What the harness says of the prompt; empty where it does not. */
  prompt: JsonObject;
  /** The prompt's text where it could be rebuilt. */
  rebuilt: string | null;
  calls: { tool: string; args: JsonObject; result: string | null }[];
  response: JsonObject | null;
  error: string | null;
  isCapped: boolean;
  at: Date | null;
}

/** Begins a turn by the event that holds its prompt; an event without a `phase` holds none. */
export function beginTurn({ where, agent, data, at }: RunEventLine, phase: string): AgentTurn {
  const turn = { where, agent, phase, at, rebuilt: null, calls: [], response: null, error: null, isCapped: false };
  return { ...turn, prompt: "phase" in data ? data : {} };
}

/** Takes an event of the turn's own agent; false where it is none of a turn. */
export function takeEvent(turn: AgentTurn, { type, data }: RunEventLine): boolean {
  if (type === "tool_call") {
    turn.calls.push({ tool: textIn(data.tool) ?? "", args: isObject(data.args) ? data.args : {}, result: null });
  } else if (type === "tool_result") {
    const call = turn.calls.findLast(({ result }) => result === null);
    if (call !== undefined) call.result = textIn(data.result) ?? "";
  } else if (type === "tool_call_capped") turn.isCapped = true;
  else if (type === "error") turn.error = textIn(data.error) ?? "";
  else if (type === "agent_response") turn.response = data;
  else return false;
  return true;
}

/** Whether a text that the agent wrote in it was cut. */
export function isClippedTurn({ calls, response }: AgentTurn): boolean {
  const texts = calls.flatMap(({ args }) => Object.values(args).filter((value) => typeof value === "string"));
  return texts.some((text) => isCut(text, LIMITS.argument)) || isCut(textIn(response?.text) ?? "", LIMITS.answer);
}

/** Whether the turn's tool call did what it was asked for. */
export function isApplied({ calls }: AgentTurn): boolean {
  return calls.some(({ result }) => result !== null && /APPLIED:/.test(result));
}

/** Says the turn, its actions, and what went wrong with it. */
export function* turnRecords(
  turn: AgentTurn,
  place: ForeignPlace,
): Generator<ForeignTurn | ForeignAction | ForeignFailure> {
  const { agent, phase, calls, response, error, rebuilt } = turn;
  const at = turn.at;
  if (error !== null) {
    yield { kind: "failure", boundary: "endpoint", code: "AGENT_ERROR", message: error, place: { ...place, at } };
  }
  if (response === null && calls.length === 0 && error === null) return;
  yield {
    ...{ kind: "turn", ...place, at, role: agent, phase, tools: null },
    messages: rebuilt === null ? [] : [{ role: "user", content: rebuilt }],
    response: answerOf(turn),
    usage: usageOf(response?.tokens),
    latencyMs: secondsIn(response?.timing) * 1000,
    model: textIn(response?.model),
    missing: missingOf(turn),
    flags: flagsOf(turn),
    retrievals: retrievalsOf(turn.prompt),
  };
  for (const { tool, args, result } of calls) {
    const call = { name: tool, arguments: args };
    yield { kind: "action", ...place, at, call, exitCode: exitCodeOf(result), stdout: result ?? "", stderr: "" };
  }
}

/** What the harness adds to the answer of a turn that it ended at its second call. */
const CAP_WORDS = /\n?\[harness\] tool cap reached.*$/s;

function answerOf({ calls, response, isCapped }: AgentTurn): RecordedMessage | null {
  const text = textIn(response?.text);
  const content = isCapped ? text?.replace(CAP_WORDS, "") || null : text;
  if (content === null && calls.length === 0) return null;
  const asked = calls.map(({ tool, args }, i) => ({
    ...{ id: `call-${i + 1}`, type: "function" },
    function: { name: tool, arguments: JSON.stringify(args) },
  }));
  return { role: "assistant", content, ...(asked.length > 0 && { tool_calls: asked }) };
}

/** The texts of the call before the tool and of the one after it are one in the log, so neither answer is known whole. */
function missingOf(turn: AgentTurn): TurnPart[] {
  const isMerged = turn.calls.length > 0 && turn.response !== null;
  const isWhole = !isClippedTurn(turn) && !isMerged && turn.response !== null;
  return [
    "system-prompt",
    ...(turn.agent === "reflector" ? [] : (["tools"] as const)),
    ...(turn.rebuilt === null ? (["prompt"] as const) : []),
    ...(isWhole ? [] : (["answer"] as const)),
    "sampling",
  ];
}

function flagsOf(turn: AgentTurn): string[] {
  return [
    ...(isClippedTurn(turn) ? ["clipped"] : []),
    ...(turn.calls.some(({ result }) => isCut(result ?? "", LIMITS.result)) ? ["result-clipped"] : []),
    ...(turn.calls.length > 0 && turn.response !== null ? ["merged-calls"] : []),
    ...(turn.isCapped ? ["tool-call-capped"] : []),
    ...(turn.agent === "worker" && turn.calls.length === 0 ? ["no-action"] : []),
  ];
}

/** Tips as they were chosen for the prompt; those whose section did not fit whole were not rendered, as far as is known. */
function retrievalsOf({ v2_tips_loaded, sections_included }: JsonObject): NonNullable<ForeignTurn["retrievals"]> {
  const isRendered = Array.isArray(sections_included) && sections_included.includes("similar_rule_tips");
  return objectsIn(v2_tips_loaded).flatMap(({ tip_id, rank, similarity_score, source_run_id }) => {
    const tip = tipIdOf(source_run_id, tip_id);
    const place = countIn(rank);
    if (tip === null || place === null || place < 1) return [];
    return [
      { tip, rank: place, score: numberIn(similarity_score) ?? 0, dropProbability: 0, isDropped: false, isRendered },
    ];
  });
}

function usageOf(tokens: unknown): ForeignTurn["usage"] {
  if (!isObject(tokens)) return null;
  const promptTokens = countIn(tokens.prompt);
  const completionTokens = countIn(tokens.completion);
  return promptTokens === null || completionTokens === null ? null : { promptTokens, completionTokens };
}

function secondsIn(timing: unknown): number {
  return isObject(timing) ? Math.max(0, numberIn(timing.turn_elapsed_s) ?? 0) : 0;
}

/** The result is the text of a Python dictionary. */
function exitCodeOf(result: string | null): number | null {
  const [, code] = /Exit code: (\d{1,3})\b/.exec(result ?? "") ?? [];
  if (code !== undefined) return Number(code);
  return result !== null && /APPLIED:/.test(result) ? 0 : null;
}
