/**
 * Messages as OpenAI's files hold them: only keys that the API knows, arguments as JSON text, content as text wherever a
 * message is not a call alone.
 */
import type { Message } from "../records/message.ts";
import { type Refused, reasoningOf, withTextArguments } from "./message-forms.ts";

export interface ApiMessage {
  role: Message["role"];
  content: string | null;
  name?: string;
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** Returns the messages in the API's form, or why they cannot be said in it. */
export function apiMessages(recorded: Message[]): ApiMessage[] | Refused {
  if (recorded.some(reasoningOf)) return { refused: "reasoning-is-lost" };
  if (recorded.some(lacksId)) return { refused: "call-without-id" };
  const messages = withTextArguments(recorded);
  return "refused" in messages ? messages : messages.map(apiMessage);
}

/** Whether the id that joins a call and its result is missing. */
export function lacksId({ role, tool_calls, tool_call_id }: Message): boolean {
  return (role === "tool" && tool_call_id === undefined) || (tool_calls ?? []).some(({ id }) => id === undefined);
}

function apiMessage({ role, content, name, tool_calls, tool_call_id }: Message): ApiMessage {
  const calls = (tool_calls ?? []).map(({ id = "", function: { name: called, arguments: given } }) => ({
    id,
    type: "function" as const,
    function: { name: called, arguments: given as string },
  }));
  return {
    role,
    content: content ?? (calls.length > 0 ? null : ""),
    ...(name !== undefined && { name }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(tool_call_id !== undefined && { tool_call_id }),
  };
}
