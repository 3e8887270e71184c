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

export function* conversationRecords(conversation: Conversation): Generator<ForeignTurn | ForeignAction> {
  const { messages, tools, answers, item, attempt, at = null, role = "worker", missing, model = null } = conversation;
  const results = new Map(messages.flatMap((message) => resultOf(message)));
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
    for (const call of objectsIn(response.tool_calls)) {
      const action = actionOf(call, results);
      if (action !== null) yield { kind: "action", ...place, ...action };
    }
  }
}

/** What a tool answered, by the call's id. */
function resultOf({ role, tool_call_id, content }: RecordedMessage): [string, string][] {
  return role === "tool" && typeof tool_call_id === "string" ? [[tool_call_id, textOf(content)]] : [];
}

function actionOf(
  call: Record<string, unknown>,
  results: ReadonlyMap<string, string>,
): Pick<ForeignAction, "call" | "exitCode" | "stdout" | "stderr"> | null {
  const called = isObject(call.function) ? call.function : {};
  const name = textIn(called.name);
  const given = typeof called.arguments === "string" ? parseJson(called.arguments) : { value: called.arguments };
  const stdout = results.get(textIn(call.id) ?? "");
  if (name === null || stdout === undefined || !("value" in given) || !isObject(given.value)) return null;
  return { call: { name, arguments: given.value }, exitCode: null, stdout, stderr: "" };
}
