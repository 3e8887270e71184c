/**
 * Which attempt a call belongs to that does not say so: a call whose messages go on from those of an earlier one
 * continues its attempt. Messages are compared by what they say, as agents send an answer back with keys of their own.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import { hashText, ZERO_HASH } from "../foundation/hashing.ts";
import type { AttemptId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";

export interface Conversations {
  /** The attempt that messages with these keys continue; null where none does. `scope` is what else must agree. */
  continued(scope: string, keys: readonly string[]): AttemptId | null;
  /** Notes that an attempt has said what these keys stand for; of two that said the same, the later one is continued. */
  note(scope: string, keys: readonly string[], attempt: AttemptId): void;
}

export function openConversations(): Conversations {
  const states = new Map<string, AttemptId>();
  return {
    continued(scope, keys) {
      const prefixes = prefixesOf(scope, keys);
      for (let length = keys.length - 1; length > 0; length--) {
        const attempt = states.get(prefixes[length - 1] as string);
        if (attempt !== undefined) return attempt;
      }
      return null;
    },
    note(scope, keys, attempt) {
      const state = prefixesOf(scope, keys).at(-1);
      if (state !== undefined) states.set(state, attempt);
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

/** The hash of each beginning of the list, shortest first. */
function prefixesOf(scope: string, keys: readonly string[]): string[] {
  let state = hashText(`${ZERO_HASH}${scope}`) as string;
  return keys.map((key) => {
    state = hashText(state + key);
    return state;
  });
}
