/**
 * A recorded run's counts, and which conversation each of its attempts had. Rebuilt from the log when a recorder goes
 * on with a run.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Turn } from "../records/events.ts";
import { type AttemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import { answerKeys, beginningsOf, keyOf, openConversations } from "./conversations.ts";
import { openRunCounts, type RunCounts } from "./run-counts.ts";

export interface RunBook extends RunCounts {
  /** What the message of a hash says, as conversations are told by; it is looked at once. */
  keyOf(hash: Hash, message: RecordedMessage): string;
  /** The attempt that a prompt goes on with. Shapes: as `beginningsOf` the keys of its messages. */
  continued(scope: Scope, beginnings: readonly string[]): AttemptId | null;
  /** Notes a prompt before its answer is there, so that calls that come meanwhile can go on from it. */
  noteSent(attempt: AttemptId, role: string, beginnings: readonly string[]): void;
}

/** What has to agree, besides the messages, for a call to continue another. */
export interface Scope {
  /** Null where the agent named none. */
  item: ItemId | null;
  role: string;
}

/** Opens the book of a run of which nothing was said yet. */
export function openRunBook(run: RunId): RunBook {
  const counts = openRunCounts(run);
  const keys = new Map<string, string>();
  /** Of answers that agents may send back in another form. */
  const formKeys = new Map<string, string[]>();
  const conversations = openConversations();

  function keyOfHash(hash: Hash, message: RecordedMessage): string {
    const known = keys.get(hash);
    if (known !== undefined) return known;
    const forms = message.role === "assistant" ? answerKeys(message) : [];
    if (forms.length > 1) formKeys.set(hash, forms);
    const key = forms[0] ?? keyOf(message);
    keys.set(hash, key);
    return key;
  }

  function noteSent(attempt: AttemptId, role: string, beginnings: readonly string[]): void {
    for (const scope of scopesOf(attempt, role)) conversations.noteAsked(scope, beginnings, attempt);
  }

  function noteTurn({ attempt, role, messages, response, missing, parseFlags }: Turn): void {
    const beginnings = beginningsOf(messages.map((hash) => keys.get(hash) ?? hash));
    noteSent(attempt, role, beginnings);
    for (const scope of scopesOf(attempt, role)) {
      if (response !== null) {
        const answers = formKeys.get(response) ?? [keys.get(response) ?? response];
        conversations.noteAnswered(scope, beginnings, { attempt, keys: answers });
      }
      // One that came to its end, and whose message alone is not all of it, was answered.
      const isBroken = missing?.includes("answer") === true && parseFlags.length > 0;
      if (response === null || isBroken) conversations.noteUnanswered(scope, beginnings, attempt);
    }
  }

  return {
    ...counts,
    get failures() {
      return counts.failures;
    },
    take(event) {
      counts.take(event);
      if (event.type === "message") keyOfHash(event.data.hash, event.data.message);
      else if (event.type === "turn") noteTurn(event.data);
    },
    keyOf: keyOfHash,
    continued: (scope, beginnings) => conversations.continued(scopeText(scope), beginnings),
    noteSent,
  };
}

/** With and without the item: a later call may name it or not. */
function scopesOf(attempt: AttemptId, role: string): string[] {
  return [attemptParts(attempt).item, null].map((item) => scopeText({ item, role }));
}

function scopeText({ item, role }: Scope): string {
  return `${item ?? ""} ${role}`;
}
