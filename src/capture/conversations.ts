/**
 * Which attempt a call belongs to that does not say so: a call whose messages go on from those of an earlier one
 * continues its attempt, and one that asks again what got no answer repeats it. Where it may be of several it is of none of them.
 * Messages are compared by what they say, as agents send an answer back with keys of their own.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import { hashText, ZERO_HASH } from "../foundation/hashing.ts";
import type { AttemptId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";

export interface Conversations {
  /**
   * The attempt that messages with these beginnings continue, or repeat where they got no answer; null where none does, or where
   * it cannot be told which. `scope` is what else must agree.
   */
  continued(scope: string, beginnings: readonly string[]): AttemptId | null;
  /** Notes that an attempt asked all that these lead to. */
  noteAsked(scope: string, beginnings: readonly string[], attempt: AttemptId): void;
  /** Notes the answer to it, by each key that it may come back under; of those that were answered the same, the latest that did not go on is continued. */
  noteAnswered(
    scope: string,
    beginnings: readonly string[],
    said: { attempt: AttemptId; keys: readonly string[] },
  ): void;
  /** Notes that it got no whole answer: who asks it next repeats this attempt. */
  noteUnanswered(scope: string, beginnings: readonly string[], attempt: AttemptId): void;
}

/** Opens an empty book of conversations, of one run. */
export function openConversations(): Conversations {
  /** Of each prompt, the attempts that asked it, and of them those that it left without an answer. */
  const asked = new Map<string, AttemptId[]>();
  const unanswered = new Map<string, AttemptId[]>();
  /** The attempts of each prompt with its answer. */
  const answered = new Map<string, AttemptId[]>();
  /** The last new prompt of each attempt. */
  const latest = new Map<string, string>();

  const isOpen = (scope: string, prompt: string) => (attempt: AttemptId) => latest.get(scope + attempt) === prompt;

  /** An answer may come back changed beyond knowing: of those that asked the same, only one that did not go on since is meant. */
  function askedBy(scope: string, prompt: string): AttemptId | null | undefined {
    const attempts = asked.get(prompt) ?? [];
    const open = attempts.filter(isOpen(scope, prompt));
    return open.length > 1 ? null : (open[0] ?? attempts.at(-1));
  }

  /** Those that were answered the same are alike so far: each of them is continued once. */
  function answeredBy(scope: string, prompt: string, withAnswer: string): AttemptId | undefined {
    const attempts = answered.get(withAnswer) ?? [];
    return attempts.findLast(isOpen(scope, prompt)) ?? attempts.at(-1);
  }

  return {
    continued(scope, beginnings) {
      const prompt = scope + beginnings.at(-1);
      const repeated = unanswered.get(prompt)?.find(isOpen(scope, prompt));
      if (repeated !== undefined) return repeated;
      for (let i = beginnings.length - 2; i >= 0; i--) {
        const beginning = scope + beginnings[i];
        const found = answeredBy(scope, scope + beginnings[i - 1], beginning) ?? askedBy(scope, beginning);
        if (found !== undefined) return found;
      }
      return null;
    },
    noteAsked(scope, beginnings, attempt) {
      const prompt = scope + beginnings.at(-1);
      if (addOnce(asked, prompt, attempt)) latest.set(scope + attempt, prompt);
      const left = unanswered.get(prompt)?.filter((one) => one !== attempt) ?? [];
      if (left.length > 0) unanswered.set(prompt, left);
      else unanswered.delete(prompt);
    },
    noteAnswered(scope, beginnings, { attempt, keys }) {
      const prompt = beginnings.at(-1) ?? ZERO_HASH;
      for (const key of keys) addOnce(answered, scope + hashText(prompt + key), attempt);
    },
    noteUnanswered(scope, beginnings, attempt) {
      const prompt = scope + beginnings.at(-1);
      unanswered.set(prompt, [...(unanswered.get(prompt) ?? []), attempt]);
    },
  };
}

/** Adds an attempt to those of a key; false where it is one of them. */
function addOnce(map: Map<string, AttemptId[]>, key: string, attempt: AttemptId): boolean {
  const attempts = map.get(key) ?? [];
  map.set(key, attempts);
  const isNew = !attempts.includes(attempt);
  if (isNew) attempts.push(attempt);
  return isNew;
}

/** A thought before an answer, and the closing tags that end it. */
const THOUGHT = /^[\s\S]*<\/(?:think|thinking|thought|reasoning)>/;

/** The keys under which an agent may send an answer back: whole, or without the thought before it. */
export function answerKeys(message: RecordedMessage): string[] {
  const text = textOf(message.content);
  const shown = text.replace(THOUGHT, "");
  return [keyOf(message), ...(shown === text ? [] : [keyOf({ ...message, content: shown })])];
}

/** What a message says, as a short key: role, text, calls. Agents send an answer back without the space around it. */
export function keyOf(message: RecordedMessage): string {
  const { role, content, tool_calls, tool_call_id } = message;
  const text = role === "assistant" ? textOf(content).trim() : textOf(content);
  return hashText(canonicalJson([role, text, callsOf(tool_calls), tool_call_id ?? null]));
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
