/**
 * When an adapter that could not be served is tried again: after a second, then after twice as long each time, up to five
 * minutes. What keeps it may pass (memory, a server that starts again), and loading a model over and over would take from those that
 * answer.
 */
import type { Clock } from "../foundation/clock.ts";
import type { Hash } from "../foundation/hashing.ts";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 300_000;

interface Failed {
  error: Error;
  waitMs: number;
  dueMs: number;
}

export interface AdapterTries {
  /** Why an adapter is not to be tried now; null where it may be. */
  heldBack(adapterHash: Hash): Error | null;
  /** Notes that it could not be served, and returns how long it waits. */
  failed(adapterHash: Hash, error: Error): number;
  served(adapterHash: Hash): void;
  /** Forgets all but these. */
  keepOnly(adapterHashes: ReadonlySet<Hash>): void;
  /** Whether any that failed is to be tried again. */
  isAnyDue(): boolean;
}

/** Returns a note of the adapters that could not be served; none has failed yet. */
export function adapterTries(clock: Clock): AdapterTries {
  const failures = new Map<Hash, Failed>();
  const now = () => clock().getTime();
  return {
    heldBack(adapterHash) {
      const failure = failures.get(adapterHash);
      return failure === undefined || now() >= failure.dueMs ? null : failure.error;
    },
    failed(adapterHash, error) {
      const before = failures.get(adapterHash);
      const waitMs = before === undefined ? FIRST_WAIT_MS : Math.min(2 * before.waitMs, LONGEST_WAIT_MS);
      failures.set(adapterHash, { error, waitMs, dueMs: now() + waitMs });
      return waitMs;
    },
    served: (adapterHash) => void failures.delete(adapterHash),
    keepOnly(adapterHashes) {
      for (const known of [...failures.keys()]) if (!adapterHashes.has(known)) failures.delete(known);
    },
    isAnyDue: () => [...failures.values()].some(({ dueMs }) => now() >= dueMs),
  };
}
