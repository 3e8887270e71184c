/**
 * A scripted endpoint that plays all four roles: which one is asked shows in the prompt.
 */
import type { ChatRequest, ScriptedReply } from "../fixtures/scripted-model.ts";

export type PlayedRole = "select" | "replan" | "auditor" | "reflector" | "worker";

export function roleOf({ messages }: ChatRequest): PlayedRole {
  const text = messages.map(({ content }) => content).join("\n");
  if (text.includes("You choose the next task")) return "select";
  if (text.includes("has failed at it several times")) return "replan";
  if (text.includes("You check work that a program has already accepted")) return "auditor";
  if (text.includes("You learn from attempts at tasks")) return "reflector";
  return "worker";
}

/** Answers each role by its own function; one that is left out answers with an empty text. */
export function byRole(
  players: Partial<Record<PlayedRole, (request: ChatRequest) => ScriptedReply>>,
): (request: ChatRequest) => ScriptedReply {
  return (request) => players[roleOf(request)]?.(request) ?? { content: "" };
}

export function textOf({ messages }: ChatRequest): string {
  return messages.map(({ content }) => content).join("\n");
}

export const json = (value: unknown): ScriptedReply => ({ content: JSON.stringify(value) });
