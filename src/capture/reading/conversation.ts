/**
 * A conversation that was kept whole, as turns: each answer of the assistant is one, with everything before it as its
 * prompt, and each tool call that was answered is an action.
 */
import type { Turn, TurnPart } from "../../records/events.ts";
import type { RecordedMessage, RecordedTool } from "../../records/message.ts";
import { textOf } from "../conversations.ts";
import type { ForeignAction, ForeignPlace, ForeignTurn } from "../foreign.ts";
import { parseJson } from "./json.ts";
import { isObject, objectsIn, textIn } from "./shapes.ts";

export interface Conversation extends ForeignPlace {
  role?: string;
  messages: readonly RecordedMessage[];
  tools: readonly RecordedTool[] | null;
  model?: string | null;
  request?: ForeignTurn["request"];
  /** Of every turn. */
  missing: readonly TurnPart[];
  /** What is known of single answers, by their place in `messages`; one that is null was no model's and is no turn. */
  answers?: ReadonlyMap<number, AnswerFacts | null>;
}

export interface AnswerFacts {
  at?: Date | null;
  finishReason?: string | null;
  usage?: Turn["usage"];
  latencyMs?: number | null;
  model?: string | null;
  missing?: readonly TurnPart[];
  flags?: readonly string[];
  tokenIds?: NonNullable<Turn["tokenIds"]>;
}

/** Yields the turns of a conversation in their order, each before its actions. */
export function* conversationRecords(conversation: Conversation): Generator<ForeignTurn | ForeignAction> {
  const { messages, tools, answers, item, attempt, at = null, role = "worker", missing, model = null } = conversation;
  const results = resultsOf(messages);
  for (const [i, response] of messages.entries()) {
    const facts = answers?.get(i);
    if (response.role !== "assistant" || facts === null) continue;
    const place = { item, attempt, at: facts?.at ?? at };
    yield {
      ...{ kind: "turn", ...place, role, messages: messages.slice(0, i), tools, response, model },
      ...(conversation.request && { request: conversation.request }),
      ...facts,
      ...{ at: place.at, missing: [...new Set([...missing, ...(facts?.missing ?? [])])] },
    };
    for (const [n, call] of objectsIn(response.tool_calls).entries()) {
      const action = actionOf(call, results.get(i)?.[n] ?? null);
      if (action !== null) yield { kind: "action", ...place, ...action };
    }
  }
}

/**
 * What came of each call of each answer, by the answer's place: the first result behind it that has the call's id, is no
 * other call's, and that no later answer with the id stands before, as some servers count ids anew with every answer. Null
 * for none.
 */
function resultsOf(messages: readonly RecordedMessage[]): Map<number, (string | null)[]> {
  const results = new Map<number, (string | null)[]>();
  const behind = new Map<string, string[]>();
  for (let i = messages.length - 1; i >= 0; i--) {
    const { role, tool_call_id, content, tool_calls } = messages[i] as RecordedMessage;
    if (role === "tool" && typeof tool_call_id === "string") {
      behind.set(tool_call_id, [textOf(content), ...(behind.get(tool_call_id) ?? [])]);
    }
    if (role !== "assistant") continue;
    const ids = objectsIn(tool_calls).map((call) => textIn(call.id) ?? "");
    const taken = ids.map((id) => behind.get(id)?.shift() ?? null);
    if (taken.length > 0) results.set(i, taken);
    for (const id of ids) behind.delete(id);
  }
  return results;
}

function actionOf(
  call: Record<string, unknown>,
  stdout: string | null,
): Pick<ForeignAction, "call" | "exitCode" | "stdout" | "stderr"> | null {
  const called = isObject(call.function) ? call.function : {};
  const name = textIn(called.name);
  const given = typeof called.arguments === "string" ? parseJson(called.arguments) : { value: called.arguments };
  if (name === null || stdout === null || !("value" in given) || !isObject(given.value)) return null;
  return { call: { name, arguments: given.value }, exitCode: null, stdout, stderr: "" };
}
