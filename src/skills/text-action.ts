/**
 * The one action of an executable skill: a name and one argument that is a text. A native tool call is read first;
 * without one the answer's text is the argument, whole or its first fenced block.
 */
import { assert } from "../foundation/errors.ts";
import type { ActionCall } from "../records/events.ts";
import type { Message } from "../records/message.ts";
import type { ParsedAnswer } from "./contract.ts";

export interface TextAction {
  name: string;
  argument: string;
  from: "text" | "fenced";
  /** The failure mode of an answer from which no action can be read. */
  missing: string;
}

const OPENING_FENCE = /^ {0,3}(`{3,})[^`\n]*(?:\n|$)/m;

/** Reads the action from an answer. */
export function parseAction(answer: Message, action: TextAction): ParsedAnswer {
  const [first, ...others] = answer.tool_calls ?? [];
  if (others.length > 0) return missing(action, `${others.length + 1} tool calls where one was expected`);
  return first === undefined ? fromText(answer.content ?? "", action) : fromToolCall(first.function, action);
}

/** Writes an action as the shortest answer from which it is read back. */
export function actionText(call: ActionCall, action: TextAction): string {
  const value = call.arguments[action.argument];
  assert(call.name === action.name && typeof value === "string", `the call is not ${action.name} with a text`);
  if (action.from === "text") return value;
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${value}\n${fence}`;
}

/** The action with this argument. */
export function actionCall(value: string, { name, argument }: TextAction): ActionCall {
  return { name, arguments: { [argument]: value } };
}

function fromText(text: string, action: TextAction): ParsedAnswer {
  const value = action.from === "text" ? text : firstBlock(text);
  if (value === null) return missing(action, "the answer has no fenced block");
  return usable(value, action, action.from === "text" ? "the answer is empty" : "the answer's fenced block is empty");
}

/** What stands between the first opening fence and the fence that closes it, or the end where none does. */
function firstBlock(text: string): string | null {
  const opening = OPENING_FENCE.exec(text);
  if (opening === null) return null;
  const rest = text.slice(opening.index + opening[0].length);
  const closing = new RegExp(`(?:^|\\n) {0,3}\`{${opening[1]?.length},}[ \\t]*\\r?(?:\\n|$)`).exec(rest);
  return closing === null ? rest : rest.slice(0, closing.index);
}

function fromToolCall(
  { name, arguments: given }: { name: string; arguments: string | Record<string, unknown> },
  action: TextAction,
): ParsedAnswer {
  if (name !== action.name) return missing(action, `the tool ${name} does not exist; there is ${action.name}`);
  const values = typeof given === "string" ? parsedObject(given) : given;
  if (values === null) return missing(action, "the arguments are not a JSON object");
  const strangers = Object.keys(values).filter((key) => key !== action.argument);
  if (strangers.length > 0) return missing(action, `the arguments hold more than ${action.argument}: ${strangers}`);
  const value = values[action.argument];
  if (typeof value !== "string") return missing(action, `${action.argument}: expected a text`);
  return usable(value, action, `${action.argument} is empty`);
}

/** An answer's ends are no part of a text that stands alone. */
function usable(value: string, action: TextAction, complaint: string): ParsedAnswer {
  const kept = (action.from === "text" ? value.trim() : value).toWellFormed();
  return kept.trim() === "" ? missing(action, complaint) : { call: actionCall(kept, action) };
}

function parsedObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function missing(action: TextAction, reason: string): ParsedAnswer {
  return { failureMode: action.missing, reason };
}
