/**
 * A recorded run's counts, and which conversation each of its attempts had. Rebuilt from the log when a recorder goes
 * on with a run.
 */
import type { Hash } from "../foundation/hashing.ts";
import { type AttemptId, attemptParts, type ItemId, type RunId } from "../records/ids.ts";
import type { RecordedMessage } from "../records/message.ts";
import { beginningsOf, keyOf, openConversations } from "./conversations.ts";
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

export function openRunBook(run: RunId): RunBook {
  const counts = openRunCounts(run);
  const keys = new Map<string, string>();
  const conversations = openConversations();

  /** With and without the item: a later call may name it or not. */
  function note(attempt: AttemptId, role: string, beginnings: readonly string[]): void {
    for (const item of [attemptParts(attempt).item, null]) {
      conversations.note(scopeText({ item, role }), beginnings, attempt);
    }
  }

  function keyOfHash(hash: Hash, message: RecordedMessage): string {
    const key = keys.get(hash) ?? keyOf(message);
    keys.set(hash, key);
    return key;
  }

  return {
    ...counts,
    get failures() {
      return counts.failures;
    },
    take(event) {
      counts.take(event);
      if (event.type === "message") keyOfHash(event.data.hash, event.data.message);
      else if (event.type === "turn") {
        const { attempt, role, messages, response } = event.data;
        const said = [...messages, ...(response === null ? [] : [response])].map((hash) => keys.get(hash) ?? hash);
        note(attempt, role, beginningsOf(said));
      }
    },
    keyOf: keyOfHash,
    continued: (scope, beginnings) => conversations.continued(scopeText(scope), beginnings),
    noteSent: note,
  };
}

function scopeText({ item, role }: Scope): string {
  return `${item ?? ""} ${role}`;
}
