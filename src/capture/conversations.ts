/**
 * Which attempt a call belongs to that does not say so: a call whose messages go on from those of an earlier one
 * continues its attempt. Messages are compared by what they say, as agents send an answer back with keys of their own.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import { hashText, ZERO_HASH } from "../foundation/hashing.ts";
import type { AttemptId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";

export interface Conversations {
  /** The attempt that messages with these beginnings continue; null where none does. `scope` is what else must agree. */
  continued(scope: string, beginnings: readonly string[]): AttemptId | null;
  /** Notes that an attempt has said all that these lead to; of two that said the same, the later one is continued. */
  note(scope: string, beginnings: readonly string[], attempt: AttemptId): void;
}

export function openConversations(): Conversations {
  const states = new Map<string, AttemptId>();
  return {
    continued(scope, beginnings) {
      for (const beginning of beginnings.slice(0, -1).reverse()) {
        const attempt = states.get(scope + beginning);
        if (attempt !== undefined) return attempt;
      }
      return null;
    },
    note(scope, beginnings, attempt) {
      const whole = beginnings.at(-1);
      if (whole !== undefined) states.set(scope + whole, attempt);
    },
  };
}

/** What a message says, as a short key: role, text, calls. */
export function keyOf(message: RecordedMessage): string {
  const { role, content, tool_calls, tool_call_id } = message;
  return hashText(canonicalJson([role, textOf(content), callsOf(tool_calls), tool_call_id ?? null]));
}

/** The text of a message's content; parts that are no text are told apart by their JSON. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => {
      const text = (part as { text?: unknown } | null)?.text;
      return typeof text === "string" ? text : canonicalJson(part ?? null);
    })
    .join("");
}

function callsOf(calls: unknown): unknown[] {
  if (!Array.isArray(calls)) return [];
  return calls.map((call) => {
    const { name, arguments: given } = (call as { function?: { name?: unknown; arguments?: unknown } })?.function ?? {};
    return [name ?? null, typeof given === "string" ? parsed(given) : (given ?? null)];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The hash of each beginning of a list of keys, shortest first. */
export function beginningsOf(keys: readonly string[]): string[] {
  let beginning: string = ZERO_HASH;
  return keys.map((key) => {
    beginning = hashText(beginning + key);
    return beginning;
  });
}
